// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::api {

/// Which folders clients may name as a worker's workspace: `root` and those in it; unset: none.
struct WorkspaceRoot {
  std::optional<std::filesystem::path> root;

  /// The folder's real path, symbolic links followed; `cwd` is absolute, or counts from the root.
  /// It must hold the folders input and output. The disk is looked at, and may change afterwards:
  /// whoever opens the path must follow no link.
  /// kInvalidArgument: the reason for the client, which tells nothing of what lies outside.
  [[nodiscard]] Result<std::string> Resolve(const std::string& cwd) const;
};

}  // namespace framelock::api
