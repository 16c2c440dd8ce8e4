// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace framelock {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> UniqueFd::Duplicate() const {
  const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return ErrnoError("duplicate a file descriptor");
  return UniqueFd(copy);
}

}  // namespace framelock
