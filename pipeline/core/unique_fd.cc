// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/unique_fd.h"

#include <unistd.h>

namespace framelock {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace framelock
