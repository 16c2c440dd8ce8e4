// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace framelock::bench {

/// What the figures were measured on.
struct Machine {
  std::string cpu;
  unsigned cores = 0;
  std::string kernel;

  static Machine Read();
};

}  // namespace framelock::bench
