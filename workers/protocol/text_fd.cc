// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

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

}  // namespace framelock::protocol
