// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pipeline/core/result.h"
#include "workers/graph/node_spec.h"
#include "workers/nodes/png_image.h"
#include "workers/nodes/workspace.h"

namespace framelock::nodes {

/// A picture file of the workspace, as a node reads it: remembers which state of it was read. Owned
/// by its node; one thread.
class PictureInput {
 public:
  explicit PictureInput(std::shared_ptr<const Workspace> workspace);

  /// Whether the file is another than Read() last read.
  [[nodiscard]] bool HasChanged(const std::string& name) const;
  Result<PngImage> Read(const std::string& name);

 private:
  std::shared_ptr<const Workspace> workspace_;
  std::optional<FileStamp> read_;
};

/// The input "image": the pictures of the workspace's input folder to choose from, and any other
/// file of the workspace by its name.
graph::InputSpec PictureChoice(const std::shared_ptr<const Workspace>& workspace);

/// Why this worker has no picture files, or nullopt if it has.
std::optional<std::string> WhyNoPictures(const Workspace* workspace);

}  // namespace framelock::nodes
