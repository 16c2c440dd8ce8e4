// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "pipeline/core/sealed_text.h"
#include "workers/protocol/shared_region.h"

namespace framelock::protocol {

Result<UniqueFd> MakeTextFd(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Error{ErrorCode::kInvalidArgument, "text of " + std::to_string(text.size()) +
                                                  " bytes exceeds the limit of " +
                                                  std::to_string(kMaxTextBytes)};
  }
  return SealText(text);
}

Result<std::string> ReadTextFd(UniqueFd fd, std::uint64_t bytes) {
  if (bytes > kMaxTextBytes) {
    return Error{ErrorCode::kProtocol,
                 "text of " + std::to_string(bytes) + " bytes exceeds the limit"};
  }
  if (!IsSealed(fd.get())) {
    return Error{ErrorCode::kProtocol, "text is not in a memfd sealed against changes"};
  }
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return ErrnoError("size of a text descriptor");
  if (std::cmp_not_equal(file.st_size, bytes)) {
    return Error{ErrorCode::kProtocol, "text has " + std::to_string(file.st_size) +
                                           " bytes instead of " + std::to_string(bytes)};
  }
  return ReadText(fd.get(), bytes);
}

Result<UniqueFd> MakeSamplesFd(std::span<const std::int16_t> samples) {
  const auto bytes = std::as_bytes(samples);
  return MakeTextFd({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<std::vector<std::int16_t>> ReadSamples(UniqueFd fd, std::uint32_t samples) {
  if (samples == 0 || samples > kMaxAudioSamples) {
    return Error{ErrorCode::kProtocol,
                 "audio of " + std::to_string(samples) + " samples is out of range"};
  }
  std::vector<std::int16_t> read(samples);
  const auto text = ReadTextFd(std::move(fd), samples * sizeof(std::int16_t));
  if (!text) return text.error();
  std::memcpy(read.data(), text->data(), text->size());
  return read;
}

}  // namespace framelock::protocol
