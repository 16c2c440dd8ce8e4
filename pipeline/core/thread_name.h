// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <cstddef>

namespace framelock {

/// Names the calling thread for ps, top and gdb: a thread's first act. The kernel keeps 15
/// characters, so a longer name does not compile.
template <std::size_t kBytes>
void NameThread(const char (&name)[kBytes]) {
  static_assert(kBytes <= 16, "a thread's name has 15 characters at most");
  ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace framelock
