// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock::nodes {

struct WorkspaceLimits {
  std::uint64_t max_file_bytes = 64ULL << 20;  // of a file that is read
  std::size_t max_listed = 10000;              // names of one folder
  std::uint32_t max_saved = 99999;             // the highest number of a saved picture
};

/// Whether symbolic links in the path of a workspace, its two folders included, are followed.
enum class FolderLinks : std::uint8_t { kFollowed, kRefused };

/// What tells two states of a file apart.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

/// The `input` and `output` folders of a workspace: the only files that a prompt can name. Names
/// come from prompts and are hostile: the kernel resolves each from a folder's descriptor, and
/// refuses what would leave it, by "..", by a link or by an absolute path; only regular files are
/// opened. Immutable after Open(); any thread may call it. Every call may block on the disk.
class Workspace {
 public:
  /// The two folders must be there. kUnavailable if the kernel lacks openat2.
  static Result<std::shared_ptr<const Workspace>> Open(const std::string& folder,
                                                       const WorkspaceLimits& limits = {},
                                                       FolderLinks links = FolderLinks::kFollowed);

  /// The files of `input` with this ending (".png"), sorted; those in folders of it are not listed.
  [[nodiscard]] std::vector<std::string> ListInput(const std::string& ending) const;

  /// `name` is a path in `input`, or with the suffix " [input]" or " [output]" in the one it says.
  /// The error names the name, never a path outside.
  [[nodiscard]] Result<FileStamp> StampOf(const std::string& name) const;
  [[nodiscard]] Result<std::string> Read(const std::string& name) const;

  /// Writes a new file PREFIX_00001_.png, or the number after the highest that is there, in
  /// `output`; if it cannot be written to its end, nothing is left of it. The prefix may name
  /// folders, which are made.
  Status SaveNew(const std::string& prefix, const std::string& bytes) const;

 private:
  Workspace(UniqueFd input, UniqueFd output, const WorkspaceLimits& limits);
  [[nodiscard]] Result<UniqueFd> OpenFile(const std::string& name, struct stat& found) const;
  [[nodiscard]] Result<UniqueFd> MakeFolder(const std::string& path) const;

  UniqueFd input_;
  UniqueFd output_;
  WorkspaceLimits limits_;
};

}  // namespace framelock::nodes
