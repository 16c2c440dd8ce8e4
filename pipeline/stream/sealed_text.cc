// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/sealed_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace framelock::stream {

Result<UniqueFd> SealText(std::string_view text) {
  UniqueFd fd(::memfd_create("framelock-text", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return ErrnoError("create a memfd for a text");
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("write a text into a memfd");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return ErrnoError("seal a memfd");
  return fd;
}

Result<std::string> ReadText(int fd, std::size_t max_bytes) {
  // A memfd shares its offset with whoever wrote it; a pipe has none and refuses the seek.
  if (::lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE) return ErrnoError("rewind a text");
  std::string text;
  std::array<char, 16 * 1024> block{};
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("read a text");
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > max_bytes) {
      return Error{ErrorCode::kResourceLimit,
                   "text longer than " + std::to_string(max_bytes) + " bytes"};
    }
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace framelock::stream
