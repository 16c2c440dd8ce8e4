// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// Brightness and the two colour differences, each as a grey picture.
class ImageRgbToYuvNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor image = call.Image(0);
    const graph::TensorShape& shape = image.shape();
    if (shape.channels != 3) {
      return Error{ErrorCode::kInvalidArgument,
                   "the picture must have 3 channels, not " + shape.ToString()};
    }
    Result<graph::Tensor> y = call.pool().Allocate(shape);
    Result<graph::Tensor> u = call.pool().Allocate(shape);
    Result<graph::Tensor> v = call.pool().Allocate(shape);
    for (const auto* plane : {&y, &u, &v}) {
      if (!plane->ok()) {
        return plane->error();
      }
    }
    Convert(image, y->mutable_data(), u->mutable_data(), v->mutable_data());
    call.SetOutput(0, std::move(*y));
    call.SetOutput(1, std::move(*u));
    call.SetOutput(2, std::move(*v));
    return {};
  }

 private:
  static void Convert(const graph::Tensor& image, float* y, float* u, float* v) {
    const float* in = image.data();
    for (std::size_t i = 0; i < image.size(); i += 3) {
      const float luma = 0.299F * in[i] + 0.587F * in[i + 1] + 0.114F * in[i + 2];
      const float blue = (in[i + 2] - luma) * 0.564F + 0.5F;
      const float red = (in[i] - luma) * 0.713F + 0.5F;
      y[i] = y[i + 1] = y[i + 2] = luma;
      u[i] = u[i + 1] = u[i + 2] = blue;
      v[i] = v[i + 1] = v[i + 2] = red;
    }
  }
};

}  // namespace

graph::NodeClass ImageRGBToYUV() {
  return {.spec = {.class_type = "ImageRGBToYUV",
                   .category = "image/batch",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image")},
                   .outputs = {{"IMAGE", "Y"}, {"IMAGE", "U"}, {"IMAGE", "V"}}},
          .make = [] { return std::make_unique<ImageRgbToYuvNode>(); }};
}

}  // namespace framelock::nodes
