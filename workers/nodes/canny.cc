// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/edge_finder.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kLowThreshold, kHighThreshold };

// Edges in white on black.
class CannyNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    const double low = call.Float(kLowThreshold);
    const double high = call.Float(kHighThreshold);
    if (Status good = Check(shape, low, high); !good.ok()) {
      return good;
    }
    const std::size_t channels = shape.channels;
    shape.channels = 3;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const std::size_t pixels = std::size_t{shape.height} * shape.width;
    finder_.Prepare({shape.height, shape.width}, call.threads().Parts(shape.height));
    for (std::size_t b = 0; b < shape.batch; ++b) {
      finder_.Run(image.data() + b * pixels * channels, channels,
                  {.low = static_cast<float>(low), .high = static_cast<float>(high)},
                  output->mutable_data() + b * shape.plane(), call.threads());
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  static Status Check(const graph::TensorShape& shape, double low, double high) {
    const auto bad = [](const std::string& text) {
      return Error{ErrorCode::kInvalidArgument, text};
    };
    if (!(low > 0 && low < 1) || !(high > 0 && high < 1)) {
      return bad("low_threshold and high_threshold must be greater than 0 and less than 1, not " +
                 std::to_string(low) + " and " + std::to_string(high));
    }
    if (low > high) {
      return bad("low_threshold must not be greater than high_threshold: " + std::to_string(low) +
                 " > " + std::to_string(high));
    }
    if (shape.channels != 3 && shape.channels != 1) {
      return bad("the picture must have 1 or 3 channels, not " + shape.ToString());
    }
    if (shape.height <= EdgeFinder::kReach || shape.width <= EdgeFinder::kReach) {
      return bad(
          "Padding size should be less than the corresponding input dimension, but got: "
          "padding (2, 2) of input " +
          shape.ToString());
    }
    return {};
  }

  EdgeFinder finder_;
};

}  // namespace

graph::NodeClass Canny() {
  return {.spec = {.class_type = "Canny",
                   .category = "image/preprocessors",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::FloatInput("low_threshold",
                                                {.value = 0.4, .min = 0.01, .max = 0.99}),
                              graph::FloatInput("high_threshold",
                                                {.value = 0.8, .min = 0.01, .max = 0.99})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<CannyNode>(); }};
}

}  // namespace framelock::nodes
