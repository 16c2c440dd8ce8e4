// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "workers/nodes/node_list.h"
#include "workers/nodes/picture_input.h"
#include "workers/nodes/save_picture.h"

namespace framelock::nodes {

namespace {

// As SaveImage, with a name of its own. There is no folder for what is looked at only once.
class PreviewImageNode final : public SavePictureNode {
 public:
  using SavePictureNode::SavePictureNode;

 protected:
  std::string Prefix(const graph::NodeCall&) const override { return "ComfyUI_temp"; }
};

}  // namespace

graph::NodeClass PreviewImage(const std::shared_ptr<const Workspace>& workspace) {
  return {.spec = {.class_type = "PreviewImage",
                   .display_name = "Preview Image",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("images")},
                   .hidden = {{"prompt", "PROMPT"}, {"extra_pnginfo", "EXTRA_PNGINFO"}},
                   .is_output = true,
                   .unavailable = WhyNoPictures(workspace.get()),
                   .freshness = graph::Freshness::kWhenChanged},
          .make = [workspace] { return std::make_unique<PreviewImageNode>(workspace); }};
}

}  // namespace framelock::nodes
