// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace framelock::api {

/// What a worker said of a prompt.
struct PromptVerdict {
  bool applied = false;
  std::uint64_t revision = 0;
  std::string errors_json;  // unless applied: {"error":…,"node_errors":{…}}
};

}  // namespace framelock::api
