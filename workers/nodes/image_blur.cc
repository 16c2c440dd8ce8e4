// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/gaussian.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kRadius, kSigma };

class ImageBlurNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const graph::TensorShape& shape = image.shape();
    graph::RowThreads& threads = call.threads();
    if (Status ready = filter_.Prepare(call.Int(kRadius), call.Float(kSigma), shape,
                                       threads.Parts(shape.height));
        !ready.ok()) {
      return ready;
    }
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::uint32_t b = 0; b < shape.batch; ++b, out += shape.plane()) {
      const float* plane = image.data() + b * shape.plane();
      threads.Share(shape.height, [&](const graph::RowThreads::Part& part) {
        for (std::size_t y = part.begin; y < part.end; ++y) {
          std::copy_n(filter_.Row(plane, y, part.number), shape.row(), out + y * shape.row());
        }
      });
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  GaussianFilter filter_;
};

}  // namespace

graph::NodeClass ImageBlur() {
  return {.spec = {.class_type = "ImageBlur",
                   .category = "image/postprocessing",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::IntInput("blur_radius", {.value = 1, .min = 1, .max = 31}),
                              graph::FloatInput(
                                  "sigma", {.value = 1.0, .min = 0.1, .max = 10.0, .step = 0.1})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageBlurNode>(); }};
}

}  // namespace framelock::nodes
