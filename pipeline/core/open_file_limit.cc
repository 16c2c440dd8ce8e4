// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/open_file_limit.h"

#include <sys/resource.h>

namespace framelock {

Result<std::uint64_t> RaiseOpenFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoError("read the open file limit");
  const std::uint64_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoError("raise the open file limit");
  return before;
}

}  // namespace framelock
