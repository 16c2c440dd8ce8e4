// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/porter_duff.h"

#include <algorithm>
#include <array>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

// One premultiplied value of each layer, and how opaque the layers are there.
struct Values {
  float source;
  float destination;
  float source_alpha;
  float destination_alpha;
};

// Some rows of values, side by side.
struct Rows {
  const float* source;
  const float* destination;
  const float* source_alpha;  // one for each value
  const float* destination_alpha;
  float* out;
  std::size_t count;
};

struct Mode {
  std::string_view name;
  void (*colors)(const Rows& rows);
  void (*mask)(const Rows& rows);  // source and destination are not looked at
};

// What the layers look like together, no longer premultiplied.
template <auto kAlpha, auto kColor>
FRAMELOCK_VECTOR_CLONES void ComposeColors(const Rows& rows) {
  constexpr float kNothing = 1e-5F;
  for (std::size_t i = 0; i < rows.count; ++i) {
    const float source_alpha = rows.source_alpha[i];
    const float destination_alpha = rows.destination_alpha[i];
    const float alpha = kAlpha(source_alpha, destination_alpha);
    const float color = kColor({.source = rows.source[i] * source_alpha,
                                .destination = rows.destination[i] * destination_alpha,
                                .source_alpha = source_alpha,
                                .destination_alpha = destination_alpha});
    rows.out[i] = Clamp01(alpha > kNothing ? color / alpha : 0.0F);
  }
}

template <auto kAlpha>
void ComposeMask(const Rows& rows) {
  for (std::size_t i = 0; i < rows.count; ++i) {
    rows.out[i] = 1.0F - kAlpha(rows.source_alpha[i], rows.destination_alpha[i]);
  }
}

template <auto kAlpha, auto kColor>
constexpr Mode MakeMode(std::string_view name) {
  return {name, ComposeColors<kAlpha, kColor>, ComposeMask<kAlpha>};
}

// How opaque the result is.
float Either(float s, float d) { return s + d - s * d; }
float Both(float s, float d) { return s * d; }
float SourceOnly(float s, float d) { return (1.0F - d) * s; }
float DestinationOnly(float s, float d) { return (1.0F - s) * d; }
float OneOfTwo(float s, float d) { return (1.0F - d) * s + (1.0F - s) * d; }
float SourceAlpha(float s, float) { return s; }
float DestinationAlpha(float, float d) { return d; }
float SourceThenRest(float s, float d) { return s + (1.0F - s) * d; }
float DestinationThenRest(float s, float d) { return d + (1.0F - d) * s; }

// Both layers where the other one does not cover.
float Uncovered(const Values& v) {
  return (1.0F - v.destination_alpha) * v.source + (1.0F - v.source_alpha) * v.destination;
}

float Overlay(const Values& v) {
  const float dark = 2.0F * v.source * v.destination;
  const float light = v.source_alpha * v.destination_alpha -
                      2.0F * (v.destination_alpha - v.source) * (v.source_alpha - v.destination);
  return 2.0F * v.destination < v.destination_alpha ? dark : light;
}

constexpr std::array<Mode, 18> kModes{{
    MakeMode<[](float s, float d) { return Clamp01(s + d); },
             [](const Values& v) { return Clamp01(v.source + v.destination); }>("ADD"),
    MakeMode<[](float, float) { return 0.0F; }, [](const Values&) { return 0.0F; }>("CLEAR"),
    MakeMode<Either,
             [](const Values& v) { return Uncovered(v) + std::min(v.source, v.destination); }>(
        "DARKEN"),
    MakeMode<DestinationAlpha, [](const Values& v) { return v.destination; }>("DST"),
    MakeMode<SourceAlpha,
             [](const Values& v) {
               return v.source_alpha * v.destination + (1.0F - v.destination_alpha) * v.source;
             }>("DST_ATOP"),
    MakeMode<Both, [](const Values& v) { return v.destination * v.source_alpha; }>("DST_IN"),
    MakeMode<DestinationOnly,
             [](const Values& v) { return (1.0F - v.source_alpha) * v.destination; }>("DST_OUT"),
    MakeMode<DestinationThenRest,
             [](const Values& v) {
               return v.destination + (1.0F - v.destination_alpha) * v.source;
             }>("DST_OVER"),
    MakeMode<Either,
             [](const Values& v) { return Uncovered(v) + std::max(v.source, v.destination); }>(
        "LIGHTEN"),
    MakeMode<Both, [](const Values& v) { return v.source * v.destination; }>("MULTIPLY"),
    MakeMode<Either, Overlay>("OVERLAY"),
    MakeMode<Either,
             [](const Values& v) { return v.source + v.destination - v.source * v.destination; }>(
        "SCREEN"),
    MakeMode<SourceAlpha, [](const Values& v) { return v.source; }>("SRC"),
    MakeMode<DestinationAlpha,
             [](const Values& v) {
               return v.destination_alpha * v.source + (1.0F - v.source_alpha) * v.destination;
             }>("SRC_ATOP"),
    MakeMode<Both, [](const Values& v) { return v.source * v.destination_alpha; }>("SRC_IN"),
    MakeMode<SourceOnly, [](const Values& v) { return (1.0F - v.destination_alpha) * v.source; }>(
        "SRC_OUT"),
    MakeMode<SourceThenRest,
             [](const Values& v) { return v.source + (1.0F - v.source_alpha) * v.destination; }>(
        "SRC_OVER"),
    MakeMode<OneOfTwo, Uncovered>("XOR"),
}};

std::uint32_t SmallestBatch(const PorterDuffLayers& layers) {
  std::uint32_t batch = std::min(layers.source.shape().batch, layers.destination.shape().batch);
  for (const graph::Tensor* coverage : {&layers.source_coverage, &layers.destination_coverage}) {
    batch = coverage->valid() ? std::min(batch, coverage->shape().batch) : batch;
  }
  return batch;
}

Result<graph::Tensor> SizedLike(const graph::Tensor& image, const graph::TensorShape& wanted,
                                Resampler& resampler, graph::NodeCall& call) {
  const graph::TensorShape& shape = image.shape();
  if (!image.valid() || (shape.height == wanted.height && shape.width == wanted.width)) {
    return image;
  }
  return resampler.Resample(image,
                            {.method = ResampleMethod::kBicubic,
                             .width = wanted.width,
                             .height = wanted.height,
                             .crop = Crop::kCenter},
                            call.pool(), call.threads());
}

}  // namespace

graph::InputSpec PorterDuffModeInput() {
  std::vector<std::string> names;
  names.reserve(kModes.size());
  for (const Mode& mode : kModes) {
    names.emplace_back(mode.name);
  }
  graph::InputSpec input = graph::ChoiceInput("mode", std::move(names));
  input.options["default"] = "DST";
  return input;
}

Result<PorterDuffLayers> PorterDuff::Fitted(const PorterDuffLayers& layers, graph::NodeCall& call) {
  const graph::TensorShape& wanted = layers.destination.shape();
  if (layers.source.shape().channels != wanted.channels) {
    return Error{ErrorCode::kInvalidArgument,
                 "source and destination need the same number of channels: " +
                     layers.source.shape().ToString() + " and " + wanted.ToString()};
  }
  PorterDuffLayers fitted = layers;
  const std::array<std::pair<graph::Tensor*, Resampler*>, 3> parts{{
      {&fitted.source, &source_resampler_},
      {&fitted.source_coverage, &source_coverage_resampler_},
      {&fitted.destination_coverage, &destination_coverage_resampler_},
  }};
  for (const auto& [tensor, resampler] : parts) {
    Result<graph::Tensor> sized = SizedLike(*tensor, wanted, *resampler, call);
    if (!sized.ok()) {
      return sized.error();
    }
    *tensor = std::move(*sized);
  }
  return fitted;
}

// Opacities as they are given, or made.
const float* PorterDuff::OpacityRow(const graph::Tensor& coverage, Coverage meaning,
                                    std::size_t offset, std::vector<float>& row) const {
  if (!coverage.valid()) {
    std::ranges::fill(row, 0.0F);
    return row.data();
  }
  const float* given = coverage.data() + offset;
  if (meaning == Coverage::kOpacity) {
    return given;
  }
  for (std::size_t x = 0; x < row.size(); ++x) {
    row[x] = 1.0F - given[x];
  }
  return row.data();
}

Result<PorterDuffResult> PorterDuff::Run(std::string_view name, const PorterDuffLayers& layers,
                                         graph::NodeCall& call) {
  const auto* mode = std::ranges::find(kModes, name, &Mode::name);
  if (mode == kModes.end()) {
    return Error{ErrorCode::kInvalidArgument, "unknown mode " + std::string(name)};
  }
  const Result<PorterDuffLayers> fitted = Fitted(layers, call);
  if (!fitted.ok()) {
    return fitted.error();
  }
  graph::TensorShape shape = layers.destination.shape();
  shape.batch = SmallestBatch(layers);
  Result<graph::Tensor> image = call.pool().Allocate(shape);
  Result<graph::Tensor> mask =
      call.pool().Allocate({shape.batch, shape.height, shape.width, 1, graph::TensorLayout::kMask});
  if (!image.ok() || !mask.ok()) {
    return image.ok() ? mask.error() : image.error();
  }
  const std::size_t channels = shape.channels;
  source_row_.resize(shape.width);
  destination_row_.resize(shape.width);
  source_spread_.resize(shape.row());
  destination_spread_.resize(shape.row());
  for (std::size_t line = 0; line < std::size_t{shape.batch} * shape.height; ++line) {
    const std::size_t pixel = line * shape.width;
    const float* source_alpha =
        OpacityRow(fitted->source_coverage, layers.coverage, pixel, source_row_);
    const float* destination_alpha =
        OpacityRow(fitted->destination_coverage, layers.coverage, pixel, destination_row_);
    SpreadOverChannels({source_alpha, shape.width}, channels, source_spread_.data());
    SpreadOverChannels({destination_alpha, shape.width}, channels, destination_spread_.data());
    mode->colors({.source = fitted->source.data() + pixel * channels,
                  .destination = fitted->destination.data() + pixel * channels,
                  .source_alpha = source_spread_.data(),
                  .destination_alpha = destination_spread_.data(),
                  .out = image->mutable_data() + pixel * channels,
                  .count = shape.row()});
    mode->mask({.source_alpha = source_alpha,
                .destination_alpha = destination_alpha,
                .out = mask->mutable_data() + pixel,
                .count = shape.width});
  }
  return PorterDuffResult{std::move(*image), std::move(*mask)};
}

}  // namespace framelock::nodes
