// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/porter_duff.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kSource, kDestination, kMode, kSourceAlpha, kDestinationAlpha };

// The alpha inputs say how opaque a pixel is; without one nothing is.
class PorterDuffImageCompositeV2Node final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto coverage = [&call](Input input) {
      return call.Has(input) ? call.Image(input) : graph::Tensor();
    };
    Result<PorterDuffResult> result =
        porter_duff_.Run(call.Text(kMode),
                         {.source = call.Image(kSource),
                          .source_coverage = coverage(kSourceAlpha),
                          .destination = call.Image(kDestination),
                          .destination_coverage = coverage(kDestinationAlpha),
                          .coverage = Coverage::kOpacity},
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

graph::NodeClass PorterDuffImageCompositeV2() {
  return {
      .spec = {.class_type = "PorterDuffImageCompositeV2",
               .display_name = "Image Composite",
               .category = "mask/compositing",
               .python_module = "nodes",
               .inputs = {graph::ImageInput("source"), graph::ImageInput("destination"),
                          PorterDuffModeInput(), graph::Optional(graph::MaskInput("source_alpha")),
                          graph::Optional(graph::MaskInput("destination_alpha"))},
               .outputs = {{"IMAGE", "IMAGE"}, {"MASK", "MASK"}}},
      .make = [] { return std::make_unique<PorterDuffImageCompositeV2Node>(); }};
}

}  // namespace framelock::nodes
