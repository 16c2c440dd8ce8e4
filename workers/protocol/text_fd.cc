// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "workers/protocol/shared_region.h"

namespace framelock::protocol {

namespace {

// Without the write seal the peer could change the text while it is parsed.
constexpr int kTextSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Result<UniqueFd> MakeTextFd(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Error{ErrorCode::kInvalidArgument, "text of " + std::to_string(text.size()) +
                                                  " bytes exceeds the limit of " +
                                                  std::to_string(kMaxTextBytes)};
  }
  UniqueFd fd(::memfd_create("framelock-text", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return ErrnoError("create a text descriptor");
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return ErrnoError("write a text descriptor");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kTextSeals | F_SEAL_SEAL) != 0) {
    return ErrnoError("seal a text descriptor");
  }
  return fd;
}

Result<std::string> ReadTextFd(UniqueFd fd, std::uint64_t bytes) {
  if (bytes > kMaxTextBytes) {
    return Error{ErrorCode::kProtocol,
                 "text of " + std::to_string(bytes) + " bytes exceeds the limit"};
  }
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kTextSeals) != kTextSeals) {
    return Error{ErrorCode::kProtocol, "text is not in a memfd sealed against changes"};
  }
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return ErrnoError("size of a text descriptor");
  if (std::cmp_not_equal(file.st_size, bytes)) {
    return Error{ErrorCode::kProtocol, "text has " + std::to_string(file.st_size) +
                                           " bytes instead of " + std::to_string(bytes)};
  }
  std::string text(bytes, '\0');
  std::size_t done = 0;
  // The offset is given each time: the peer shares the file position.
  while (done < bytes) {
    const ssize_t got =
        ::pread(fd.get(), text.data() + done, bytes - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ErrnoError("read a text descriptor");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace framelock::protocol
