// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/extreme_filter.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kOperation, kKernelSize };

// a - b, written over whichever of the two is asked for.
void Subtract(const graph::Tensor& a, graph::Tensor& b_and_out) {
  const float* from = a.data();
  float* out = b_and_out.mutable_data();
  for (std::size_t i = 0; i < a.size(); ++i) {
    out[i] = from[i] - out[i];
  }
}

// Flat grey morphology with a square window.
class MorphologyNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const std::int64_t size = call.Int(kKernelSize);
    if (size < 1) {
      return Error{ErrorCode::kInvalidArgument,
                   "kernel_size must be at least 1, not " + std::to_string(size)};
    }
    const auto side = static_cast<std::uint32_t>(std::min<std::int64_t>(size, INT32_MAX));
    window_ = {.before = side / 2, .after = side - side / 2 - 1};
    Result<graph::Tensor> output = Apply(call.Image(kImage), call.Text(kOperation), call.pool());
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  Result<graph::Tensor> Apply(const graph::Tensor& image, const std::string& operation,
                              graph::TensorPool& pool) {
    if (operation == "erode") {
      return filter_.Square(image, window_, Extreme::kMin, pool);
    }
    if (operation == "dilate") {
      return filter_.Square(image, window_, Extreme::kMax, pool);
    }
    if (operation == "open") {
      return Twice(image, Extreme::kMin, Extreme::kMax, pool);
    }
    if (operation == "close") {
      return Twice(image, Extreme::kMax, Extreme::kMin, pool);
    }
    if (operation == "gradient") {
      return Gradient(image, pool);
    }
    if (operation == "top_hat" || operation == "bottom_hat") {
      return Hat(image, operation, pool);
    }
    return Error{ErrorCode::kInvalidArgument, "unknown operation " + operation};
  }

  Result<graph::Tensor> Twice(const graph::Tensor& image, Extreme first, Extreme second,
                              graph::TensorPool& pool) {
    Result<graph::Tensor> half_way = filter_.Square(image, window_, first, pool);
    return half_way.ok() ? filter_.Square(*half_way, window_, second, pool) : half_way;
  }

  Result<graph::Tensor> Gradient(const graph::Tensor& image, graph::TensorPool& pool) {
    Result<graph::Tensor> dilated = filter_.Square(image, window_, Extreme::kMax, pool);
    Result<graph::Tensor> eroded = filter_.Square(image, window_, Extreme::kMin, pool);
    if (dilated.ok() && eroded.ok()) {
      Subtract(*dilated, *eroded);
    }
    return dilated.ok() ? eroded : dilated;
  }

  // What opening takes away from the picture, or what closing adds to it.
  Result<graph::Tensor> Hat(const graph::Tensor& image, const std::string& operation,
                            graph::TensorPool& pool) {
    if (operation == "top_hat") {
      Result<graph::Tensor> opened = Twice(image, Extreme::kMin, Extreme::kMax, pool);
      if (opened.ok()) {
        Subtract(image, *opened);
      }
      return opened;
    }
    Result<graph::Tensor> closed = Twice(image, Extreme::kMax, Extreme::kMin, pool);
    if (closed.ok()) {
      float* out = closed->mutable_data();
      for (std::size_t i = 0; i < image.size(); ++i) {
        out[i] -= image.data()[i];
      }
    }
    return closed;
  }

  ExtremeFilter filter_;
  SquareWindow window_;
};

}  // namespace

graph::NodeClass Morphology() {
  return {
      .spec = {.class_type = "Morphology",
               .display_name = "ImageMorphology",
               .category = "image/postprocessing",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image"),
                          graph::ChoiceInput("operation", {"erode", "dilate", "open", "close",
                                                           "gradient", "bottom_hat", "top_hat"}),
                          graph::IntInput("kernel_size", {.value = 3, .min = 3, .max = 999})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<MorphologyNode>(); }};
}

}  // namespace framelock::nodes
