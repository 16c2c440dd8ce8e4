// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/porter_duff.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kSource, kSourceAlpha, kDestination, kDestinationAlpha, kMode };

// The alpha inputs are masks: 1 is transparent.
class PorterDuffImageCompositeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    Result<PorterDuffResult> result =
        porter_duff_.Run(call.Text(kMode),
                         {.source = call.Image(kSource),
                          .source_coverage = call.Image(kSourceAlpha),
                          .destination = call.Image(kDestination),
                          .destination_coverage = call.Image(kDestinationAlpha),
                          .coverage = Coverage::kTransparency},
                         call);
    if (!result.ok()) {
      return result.error();
    }
    call.SetOutput(0, std::move(result->image));
    call.SetOutput(1, std::move(result->mask));
    return {};
  }

 private:
  PorterDuff porter_duff_;
};

}  // namespace

graph::NodeClass PorterDuffImageComposite() {
  return {.spec = {.class_type = "PorterDuffImageComposite",
                   .display_name = "Porter-Duff Image Composite (V1)",
                   .category = "mask/compositing",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("source"), graph::MaskInput("source_alpha"),
                              graph::ImageInput("destination"),
                              graph::MaskInput("destination_alpha"), PorterDuffModeInput()},
                   .outputs = {{"IMAGE", "IMAGE"}, {"MASK", "MASK"}}},
          .make = [] { return std::make_unique<PorterDuffImageCompositeNode>(); }};
}

}  // namespace framelock::nodes
