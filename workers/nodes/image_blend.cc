// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage1, kImage2, kFactor, kMode };

float Screen(float a, float b) { return 1.0F - (1.0F - a) * (1.0F - b); }

float Overlay(float a, float b) {
  const float dark = 2.0F * a * b;
  const float light = 1.0F - 2.0F * (1.0F - a) * (1.0F - b);
  return a <= 0.5F ? dark : light;
}

float SoftLight(float a, float b) {
  const float polynomial = ((16.0F * a - 12.0F) * a + 4.0F) * a;
  const float lifted = a <= 0.25F ? polynomial : std::sqrt(a);
  const float dark = a - (1.0F - 2.0F * b) * a * (1.0F - a);
  const float light = a + (2.0F * b - 1.0F) * (lifted - a);
  return b <= 0.5F ? dark : light;
}

struct Operands {
  const float* a;
  const float* b;
  float* out;
  std::size_t count;
  float keep;  // of a
  float take;  // of the blend
};

// `mode` is a lambda, not a function's address, which no clone would inline.
template <typename Mode>
FRAMELOCK_VECTOR_CLONES void Blend(const Operands& operands, Mode mode) {
  const auto [a, b, out, count, keep, take] = operands;
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = Clamp01(a[i] * keep + mode(a[i], b[i]) * take);
  }
}

using BlendFunction = void (*)(const Operands&);
constexpr std::array<std::pair<std::string_view, BlendFunction>, 6> kModes{{
    {"normal", [](const Operands& o) { Blend(o, [](float, float b) { return b; }); }},
    {"multiply", [](const Operands& o) { Blend(o, [](float a, float b) { return a * b; }); }},
    {"screen", [](const Operands& o) { Blend(o, [](float a, float b) { return Screen(a, b); }); }},
    {"overlay",
     [](const Operands& o) { Blend(o, [](float a, float b) { return Overlay(a, b); }); }},
    {"soft_light",
     [](const Operands& o) { Blend(o, [](float a, float b) { return SoftLight(a, b); }); }},
    {"difference", [](const Operands& o) { Blend(o, [](float a, float b) { return a - b; }); }},
}};

std::vector<std::string> ModeNames() {
  std::vector<std::string> names;
  names.reserve(kModes.size());
  for (const auto& [name, function] : kModes) {
    names.emplace_back(name);
  }
  return names;
}

class ImageBlendNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image1 = call.Image(kImage1);
    const auto* mode = std::ranges::find(kModes, std::string_view(call.Text(kMode)),
                                         &std::pair<std::string_view, BlendFunction>::first);
    if (mode == kModes.end()) {
      return Error{ErrorCode::kInvalidArgument, "unknown blend_mode " + call.Text(kMode)};
    }
    Result<graph::Tensor> image2 = MatchSecond(call, image1);
    if (!image2.ok()) {
      return image2.error();
    }
    graph::TensorShape shape = image1.shape();
    const std::uint32_t other = image2->shape().batch;
    if (other != shape.batch && other != 1 && shape.batch != 1) {
      return SizeMismatch(shape.batch, other, 0);
    }
    shape.batch = shape.batch == 1 ? other : shape.batch;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const double factor = call.Float(kFactor);
    for (std::uint32_t b = 0; b < shape.batch; ++b) {
      const auto plane = [&](const graph::Tensor& image) {
        return image.data() + (image.shape().batch == 1 ? 0 : b * shape.plane());
      };
      const Operands all{.a = plane(image1),
                         .b = plane(*image2),
                         .out = output->mutable_data() + b * shape.plane(),
                         .count = shape.plane(),
                         .keep = static_cast<float>(1 - factor),
                         .take = static_cast<float>(factor)};
      call.threads().Share(
          all.count,
          [&](const graph::RowThreads::Part& part) {
            Operands some = all;
            some.a += part.begin;
            some.b += part.begin;
            some.out += part.begin;
            some.count = part.end - part.begin;
            mode->second(some);
          },
          graph::RowThreads::kLeastValues);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  // The second image with the channels and the size of the first.
  Result<graph::Tensor> MatchSecond(graph::NodeCall& call, const graph::Tensor& image1) {
    const graph::TensorShape& wanted = image1.shape();
    const graph::Tensor& given = call.Image(kImage2);
    if (wanted.channels > given.shape().channels) {
      // The original pads the wrong one of the two, and fails.
      return SizeMismatch(wanted.channels + 1, given.shape().channels, 3);
    }
    Result<graph::Tensor> image2 = WithChannels(given, wanted.channels, call.pool());
    if (!image2.ok() || image2->shape() == wanted) {
      return image2;
    }
    return resampler_.Resample(*image2,
                               {.method = ResampleMethod::kBicubic,
                                .width = wanted.width,
                                .height = wanted.height,
                                .crop = Crop::kCenter},
                               call.pool(), call.threads());
  }

  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageBlend() {
  return {
      .spec = {.class_type = "ImageBlend",
               .category = "image/postprocessing",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image1"), graph::ImageInput("image2"),
                          graph::FloatInput("blend_factor", {.value = 0.5, .min = 0.0, .max = 1.0}),
                          graph::ChoiceInput("blend_mode", ModeNames())},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageBlendNode>(); }};
}

}  // namespace framelock::nodes
