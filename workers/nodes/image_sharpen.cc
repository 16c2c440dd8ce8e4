// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/gaussian.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kRadius, kSigma, kAlpha };

// out[i] = in[i] + strength * (in[i] - blurred[i]), clamped.
FRAMELOCK_VECTOR_CLONES void SharpenRow(const float* in, const float* blurred, std::size_t count,
                                        float strength, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = Clamp01(in[i] + strength * (in[i] - blurred[i]));
  }
}

// The picture plus ten times alpha its distance from the blurred picture, clamped.
class ImageSharpenNode final : public graph::Node {
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
    const auto strength = static_cast<float>(10 * call.Float(kAlpha));
    float* out = output->mutable_data();
    for (std::uint32_t b = 0; b < shape.batch; ++b, out += shape.plane()) {
      const float* plane = image.data() + b * shape.plane();
      threads.Share(shape.height, [&](const graph::RowThreads::Part& part) {
        for (std::size_t y = part.begin; y < part.end; ++y) {
          const float* blurred = filter_.Row(plane, y, part.number);
          SharpenRow(plane + y * shape.row(), blurred, shape.row(), strength,
                     out + y * shape.row());
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

graph::NodeClass ImageSharpen() {
  return {.spec = {.class_type = "ImageSharpen",
                   .category = "image/postprocessing",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::IntInput("sharpen_radius", {.value = 1, .min = 1, .max = 31}),
                              graph::FloatInput("sigma", {.value = 1.0, .min = 0.1, .max = 10.0}),
                              graph::FloatInput("alpha", {.value = 1.0, .min = 0.0, .max = 5.0})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageSharpenNode>(); }};
}

}  // namespace framelock::nodes
