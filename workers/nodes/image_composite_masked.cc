// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kDestination, kSource, kX, kY, kResizeSource, kMask };

// The part of both pictures that overlaps, in pixels.
struct Overlap {
  std::size_t left = 0;
  std::size_t top = 0;
  std::size_t width = 0;
  std::size_t height = 0;
};

// Where the mask is 1 the source shows. `weights` has the mask's value for each float.
FRAMELOCK_VECTOR_CLONES void ComposeRow(const float* source, const float* weights,
                                        std::size_t count, float* inout) {
  for (std::size_t i = 0; i < count; ++i) {
    inout[i] = weights[i] * source[i] + (1.0F - weights[i]) * inout[i];
  }
}

const float* Plane(const graph::Tensor& image, std::size_t batch) {
  return image.data() + batch % image.shape().batch * image.shape().plane();
}

// The source over the destination: where the mask is 1 the source shows. Shorter batches repeat.
class ImageCompositeMaskedNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    graph::Tensor destination = call.TakeTensor(kDestination);
    Result<graph::Tensor> source = Source(call, destination.shape());
    if (!source.ok()) {
      return source.error();
    }
    Result<graph::Tensor> mask = Mask(call, source->shape());
    if (!mask.ok()) {
      return mask.error();
    }
    if (mask->valid() && mask->shape().batch == 0) {
      return Error{ErrorCode::kInvalidArgument, "an empty batch cannot be repeated"};
    }
    if (call.Int(kX) < 0 || call.Int(kY) < 0) {
      return Error{ErrorCode::kInvalidArgument, "x and y must not be negative"};
    }
    Result<graph::Tensor> output = call.OutputLike(destination);
    if (!output.ok()) {
      return output.error();
    }
    if (output->data() != destination.data()) {
      std::ranges::copy(destination.values(), output->mutable_data());
    }
    const graph::TensorShape& shape = destination.shape();
    const auto left = static_cast<std::uint32_t>(std::min<std::int64_t>(call.Int(kX), shape.width));
    const auto top = static_cast<std::uint32_t>(std::min<std::int64_t>(call.Int(kY), shape.height));
    const Overlap overlap{left, top, std::min(source->shape().width, shape.width - left),
                          std::min(source->shape().height, shape.height - top)};
    for (std::size_t b = 0; b < shape.batch && source->size() > 0; ++b) {
      Compose(overlap, Plane(*source, b), source->shape(),
              mask->valid() ? Plane(*mask, b) : nullptr, output->mutable_data() + b * shape.plane(),
              shape, call.threads());
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  Result<graph::Tensor> Source(graph::NodeCall& call, const graph::TensorShape& destination) {
    const graph::Tensor& given = call.Image(kSource);
    if (destination.channels > given.shape().channels) {
      // The original pads the wrong one of the two, and fails.
      return SizeMismatch(given.shape().channels, destination.channels + 1, 1);
    }
    Result<graph::Tensor> source = WithChannels(given, destination.channels, call.pool());
    if (!source.ok() || !call.Boolean(kResizeSource)) {
      return source;
    }
    return source_resampler_.Resample(*source,
                                      {.width = destination.width, .height = destination.height},
                                      call.pool(), call.threads());
  }

  // At the source's size; no tensor without a mask.
  Result<graph::Tensor> Mask(graph::NodeCall& call, const graph::TensorShape& source) {
    if (!call.Has(kMask)) {
      return graph::Tensor();
    }
    return mask_resampler_.Resample(call.Image(kMask),
                                    {.width = source.width, .height = source.height}, call.pool(),
                                    call.threads());
  }

  void Compose(const Overlap& overlap, const float* source, const graph::TensorShape& source_shape,
               const float* mask, float* out, const graph::TensorShape& shape,
               graph::RowThreads& threads) {
    const std::size_t channels = shape.channels;
    const std::size_t floats = overlap.width * channels;
    weights_.resize(floats * threads.Parts(overlap.height));
    threads.Share(overlap.height, [&](const graph::RowThreads::Part& part) {
      float* weights = weights_.data() + part.number * floats;
      for (std::size_t y = part.begin; y < part.end; ++y) {
        const float* from = source + y * source_shape.row();
        float* to = out + (overlap.top + y) * shape.row() + overlap.left * channels;
        if (mask == nullptr) {
          std::copy_n(from, floats, to);
          continue;
        }
        SpreadOverChannels({mask + y * source_shape.width, overlap.width}, channels, weights);
        ComposeRow(from, weights, floats, to);
      }
    });
  }

  Resampler source_resampler_;
  Resampler mask_resampler_;
  std::vector<float> weights_;  // one row for each part
};

}  // namespace

graph::NodeClass ImageCompositeMasked() {
  return {.spec = {.class_type = "ImageCompositeMasked",
                   .category = "image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("destination"), graph::ImageInput("source"),
                              graph::IntInput("x", {.value = 0, .min = 0, .max = 16384}),
                              graph::IntInput("y", {.value = 0, .min = 0, .max = 16384}),
                              graph::BooleanInput("resize_source", false),
                              graph::Optional(graph::MaskInput("mask"))},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageCompositeMaskedNode>(); }};
}

}  // namespace framelock::nodes
