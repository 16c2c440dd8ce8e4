// SPDX-License-Identifier: Apache-2.0
#include "api/workspace_root.h"

#include <algorithm>
#include <system_error>

namespace framelock::api {

namespace {

namespace fs = std::filesystem;

Error Refused(const char* why) { return Error{ErrorCode::kInvalidArgument, why}; }

bool LiesIn(const fs::path& path, const fs::path& root) {
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

}  // namespace

Result<std::string> WorkspaceRoot::Resolve(const std::string& cwd) const {
  if (!root) return Refused("this server lets no one choose a workspace (--workspace-root)");
  std::error_code error;
  const fs::path real_root = fs::canonical(*root, error);
  if (error) return Refused("the server's workspace root is not there");
  constexpr const char* kOutside = "must lie in the server's workspace root";
  const fs::path wanted = (real_root / cwd).lexically_normal();
  if (!LiesIn(wanted, real_root)) return Refused(kOutside);
  const fs::path real = fs::canonical(wanted, error);
  if (error) return Refused("is not there");
  if (!LiesIn(real, real_root)) return Refused(kOutside);
  for (const char* folder : {"input", "output"}) {
    if (!fs::is_directory(fs::symlink_status(real / folder, error))) {
      return Refused("must be a folder that holds the folders input and output");
    }
  }
  return real.string();
}

}  // namespace framelock::api
