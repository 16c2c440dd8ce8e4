// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "workers/nodes/node_list.h"
#include "workers/nodes/picture_input.h"
#include "workers/nodes/save_picture.h"

namespace framelock::nodes {

namespace {

class SaveImageNode final : public SavePictureNode {
 public:
  using SavePictureNode::SavePictureNode;

 protected:
  std::string Prefix(const graph::NodeCall& call) const override { return call.Text(1); }
};

}  // namespace

graph::NodeClass SaveImage(const std::shared_ptr<const Workspace>& workspace) {
  graph::InputSpec prefix = graph::StringInput("filename_prefix");
  prefix.options["default"] = "ComfyUI";
  return {.spec = {.class_type = "SaveImage",
                   .display_name = "Save Image",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("images"), prefix},
                   .hidden = {{"prompt", "PROMPT"}, {"extra_pnginfo", "EXTRA_PNGINFO"}},
                   .is_output = true,
                   .unavailable = WhyNoPictures(workspace.get()),
                   .freshness = graph::Freshness::kWhenChanged},
          .make = [workspace] { return std::make_unique<SaveImageNode>(workspace); }};
}

}  // namespace framelock::nodes
