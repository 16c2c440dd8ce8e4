// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/nodes/canvas.h"
#include "workers/nodes/channels.h"
#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage1, kDirection, kMatchSize, kSpacing, kColor, kImage2 };

struct Color {
  std::string_view name;
  std::array<float, 3> rgb;
};

constexpr std::array<Color, 5> kColors{{
    {"white", {1, 1, 1}},
    {"black", {0, 0, 0}},
    {"red", {1, 0, 0}},
    {"green", {0, 1, 0}},
    {"blue", {0, 0, 1}},
}};

std::vector<std::string> ColorNames() {
  std::vector<std::string> names;
  for (const Color& color : kColors) {
    names.emplace_back(color.name);
  }
  return names;
}

// How the two are put together.
struct Layout {
  bool across = false;        // left and right of each other, not above
  bool second_first = false;  // the second picture is the left or upper one
  std::int64_t spacing = 0;
  Color color;
};

Result<Layout> LayoutOf(const graph::NodeCall& call) {
  const std::string& direction = call.Text(kDirection);
  const auto* color = std::ranges::find(kColors, std::string_view(call.Text(kColor)), &Color::name);
  if (color == kColors.end()) {
    return Error{ErrorCode::kInvalidArgument, "unknown spacing_color " + call.Text(kColor)};
  }
  constexpr std::int64_t kMost = 1 << 20;
  if (call.Int(kSpacing) > kMost) {
    return Error{ErrorCode::kInvalidArgument, "spacing_width is larger than any picture"};
  }
  const std::int64_t spacing = std::max<std::int64_t>(call.Int(kSpacing), 0);
  return Layout{.across = direction == "left" || direction == "right",
                .second_first = direction == "left" || direction == "up",
                .spacing = spacing + spacing % 2,
                .color = *color};
}

// The second picture beside the first one.
class ImageStitchNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (!call.Has(kImage2)) {
      call.SetOutput(0, call.TakeTensor(kImage1));
      return {};
    }
    const Result<Layout> layout = LayoutOf(call);
    if (!layout.ok()) {
      return layout.error();
    }
    Result<Pair> pair = call.Boolean(kMatchSize) ? Match(call, *layout) : Align(call, *layout);
    if (!pair.ok()) {
      return pair.error();
    }
    Result<graph::Tensor> output = Join(*layout, *pair, call.pool());
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  struct Pair {
    graph::Tensor first;
    graph::Tensor second;
  };

  // The second picture takes the height of the first, or its width.
  Result<Pair> Match(graph::NodeCall& call, const Layout& layout) {
    const graph::Tensor& first = call.Image(kImage1);
    const graph::TensorShape& own = call.Image(kImage2).shape();
    const double aspect = static_cast<double>(own.width) / own.height;
    const double width = first.shape().width;
    const double height = first.shape().height;
    const WantedSize size =
        layout.across ? WantedSize{height * aspect, height} : WantedSize{width, width / aspect};
    const Result<ResampleTarget> target = MakeTarget("lanczos", size.Cut());
    if (!target.ok()) {
      return target.error();
    }
    Result<graph::Tensor> second =
        resampler_.Resample(call.Image(kImage2), *target, call.pool(), call.threads());
    return second.ok() ? Result<Pair>(Pair{first, std::move(*second)}) : second.error();
  }

  // The smaller one gets a margin, so that their sides are equally long.
  static Result<Pair> Align(graph::NodeCall& call, const Layout& layout) {
    const float ground = layout.color.name == "white" ? 1.0F : 0.0F;
    const graph::TensorShape& a = call.Image(kImage1).shape();
    const graph::TensorShape& b = call.Image(kImage2).shape();
    const std::uint32_t side =
        layout.across ? std::max(a.height, b.height) : std::max(a.width, b.width);
    const auto widen = [&](const graph::Tensor& image) -> Result<graph::Tensor> {
      const graph::TensorShape& own = image.shape();
      Canvas canvas{.width = own.width, .height = own.height, .ground = ground};
      (layout.across ? canvas.height : canvas.width) = side;
      canvas.x = (canvas.width - own.width) / 2;
      canvas.y = (canvas.height - own.height) / 2;
      const bool fits = canvas.width == own.width && canvas.height == own.height;
      return fits ? Result<graph::Tensor>(image) : PlaceOn(canvas, image, call.pool());
    };
    Result<graph::Tensor> first = widen(call.Image(kImage1));
    if (!first.ok()) {
      return first.error();
    }
    Result<graph::Tensor> second = widen(call.Image(kImage2));
    return second.ok() ? Result<Pair>(Pair{std::move(*first), std::move(*second)}) : second.error();
  }

  static Result<graph::Tensor> Join(const Layout& layout, const Pair& pair,
                                    graph::TensorPool& pool) {
    const std::uint32_t channels =
        std::max(pair.first.shape().channels, pair.second.shape().channels);
    Result<graph::Tensor> first = WithChannels(pair.first, channels, pool);
    Result<graph::Tensor> second = WithChannels(pair.second, channels, pool);
    if (!first.ok() || !second.ok()) {
      return first.ok() ? second : first;
    }
    if (layout.second_first) {
      std::swap(*first, *second);
    }
    const graph::TensorShape& a = first->shape();
    const graph::TensorShape& b = second->shape();
    const std::int64_t width = std::int64_t{a.width} + b.width + layout.spacing;
    const std::int64_t height = std::int64_t{a.height} + b.height + layout.spacing;
    const Result<graph::TensorShape> shape =
        MadeShape({std::max(a.batch, b.batch), layout.across ? a.height : height,
                   layout.across ? width : a.width, channels},
                  graph::TensorLayout::kImage);
    if (!shape.ok() || a.batch == 0 || b.batch == 0) {
      return shape.ok() ? Error{ErrorCode::kInvalidArgument, "an empty batch cannot be stitched"}
                        : shape.error();
    }
    Result<graph::Tensor> output = pool.Allocate(*shape);
    if (!output.ok()) {
      return output;
    }
    const auto gap = static_cast<std::uint32_t>(layout.spacing);
    if (layout.across) {
      Put(*first, {}, *output);
      Fill(layout.color, {a.width, 0, gap, a.height}, *output);
      Put(*second, {a.width + gap, 0}, *output);
    } else {
      Put(*first, {}, *output);
      Fill(layout.color, {0, a.height, a.width, gap}, *output);
      Put(*second, {0, a.height + gap}, *output);
    }
    return output;
  }

  // A batch that is shorter than the output's repeats its last picture.
  static void Put(const graph::Tensor& image, const Area& corner, graph::Tensor& output) {
    const graph::TensorShape& from = image.shape();
    const graph::TensorShape& to = output.shape();
    for (std::size_t b = 0; b < to.batch; ++b) {
      const std::size_t own = std::min<std::size_t>(b, from.batch - 1);
      CopyRows({image.data() + own * from.plane(), from.row()},
               {output.mutable_data() + b * to.plane() + corner.y * to.row() +
                    std::size_t{corner.x} * to.channels,
                to.row()},
               from.row(), from.height);
    }
  }

  // Opaque, where there is alpha.
  static void Fill(const Color& color, const Area& area, graph::Tensor& output) {
    const graph::TensorShape& to = output.shape();
    for (std::size_t b = 0; b < to.batch; ++b) {
      for (std::size_t y = area.y; y < std::size_t{area.y} + area.height; ++y) {
        float* out = output.mutable_data() + b * to.plane() + y * to.row() +
                     std::size_t{area.x} * to.channels;
        for (std::size_t x = 0; x < area.width; ++x) {
          for (std::size_t c = 0; c < to.channels; ++c) {
            *out++ = c < color.rgb.size() ? color.rgb[c] : 1.0F;
          }
        }
      }
    }
  }

  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageStitch() {
  return {
      .spec = {.class_type = "ImageStitch",
               .display_name = "Image Stitch",
               .category = "image/transform",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image1"),
                          graph::ChoiceInput("direction", {"right", "down", "left", "up"}, "right"),
                          graph::BooleanInput("match_image_size", true),
                          graph::IntInput("spacing_width",
                                          {.value = 0, .min = 0, .max = 1024, .step = 2}),
                          graph::ChoiceInput("spacing_color", ColorNames(), "white"),
                          graph::Optional(graph::ImageInput("image2"))},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageStitchNode>(); }};
}

}  // namespace framelock::nodes
