// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "workers/graph/node.h"
#include "workers/nodes/workspace.h"

namespace framelock::nodes {

/// Writes each picture of a batch as a new PNG into the workspace's output folder, once for each
/// time that it is shown; a rehearsal writes nothing. Values times 255, clamped, truncated.
class SavePictureNode : public graph::Node {
 public:
  explicit SavePictureNode(std::shared_ptr<const Workspace> workspace);

  bool HasChanged(graph::NodeCall& call) override;
  Status Run(graph::NodeCall& call) override;

 protected:
  /// How the files begin; may hold %width%, %batch_num%, %year% and so on, as in ComfyUI.
  virtual std::string Prefix(const graph::NodeCall& call) const = 0;

 private:
  std::shared_ptr<const Workspace> workspace_;
  bool is_saved_ = false;
};

}  // namespace framelock::nodes
