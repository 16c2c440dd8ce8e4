// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/sealed_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace framelock {

namespace {

// Without the write seal the peer could change the text while it is parsed.
constexpr int kTextSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Result<UniqueFd> SealText(std::string_view text) {
  UniqueFd fd(::memfd_create("framelock-text", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return ErrnoError("create a memfd for a text");
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("write a text into a memfd");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kTextSeals | F_SEAL_SEAL) != 0) {
    return ErrnoError("seal a memfd");
  }
  return fd;
}

bool IsSealed(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kTextSeals) == kTextSeals;
}

Result<std::string> ReadText(int fd, std::size_t max_bytes) {
  std::string text;
  std::array<char, 16 * 1024> block{};
  for (;;) {
    // A memfd shares its position with whoever wrote it, so ours is given each time; a pipe has
    // none.
    ssize_t got = ::pread(fd, block.data(), block.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == ESPIPE) got = ::read(fd, block.data(), block.size());
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

}  // namespace framelock
