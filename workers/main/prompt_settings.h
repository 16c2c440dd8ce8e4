// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::worker {

/// What a host sets for its prompts; see workers/PROTOCOL.md, Settings. What concerns GPUs and
/// previews is checked and has no effect: the nodes run on the CPU and show no previews.
struct PromptSettings {
  std::optional<std::string> cwd;  // an absolute path

  /// kInvalidArgument: the reason, with the setting's name. Unknown names are passed over.
  static Result<PromptSettings> Read(std::string_view json);
};

}  // namespace framelock::worker
