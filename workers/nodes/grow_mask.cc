// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/extreme_filter.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kMask, kExpand, kTaperedCorners };

// As many steps of grey dilation (expand > 0) or erosion; tapered corners make it a diamond.
class GrowMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& mask = call.Image(kMask);
    if (mask.size() == 0) {
      return EmptyMask(mask.shape());
    }
    const std::int64_t expand = std::clamp<std::int64_t>(call.Int(kExpand), -INT32_MAX, INT32_MAX);
    const Extreme extreme = expand < 0 ? Extreme::kMin : Extreme::kMax;
    const auto steps = static_cast<std::uint32_t>(expand < 0 ? -expand : expand);
    Result<graph::Tensor> grown =
        call.Boolean(kTaperedCorners)
            ? filter_.Diamond(mask, steps, extreme, call.pool())
            : filter_.Square(mask, {.before = steps, .after = steps}, extreme, call.pool());
    if (!grown.ok()) {
      return grown.error();
    }
    call.SetOutput(0, std::move(*grown));
    return {};
  }

 private:
  ExtremeFilter filter_;
};

}  // namespace

graph::NodeClass GrowMask() {
  return {.spec = {.class_type = "GrowMask",
                   .display_name = "Grow Mask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask"),
                              graph::IntInput("expand", {.value = 0, .min = -16384, .max = 16384}),
                              graph::BooleanInput("tapered_corners", true)},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<GrowMaskNode>(); }};
}

}  // namespace framelock::nodes
