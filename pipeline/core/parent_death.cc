// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/parent_death.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

namespace framelock {

Status DieWithParent(pid_t expected_parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return ErrnoError("set the parent death signal");
  // It may have ended before the signal was set.
  if (::getppid() != expected_parent) ::kill(::getpid(), SIGKILL);
  return {};
}

}  // namespace framelock
