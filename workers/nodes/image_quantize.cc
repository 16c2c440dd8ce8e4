// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/nodes/dither.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/median_cut.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/palette_map.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kColors, kDither };

constexpr std::string_view kFloydSteinberg = "floyd-steinberg";

struct Bayer {
  std::string_view name;
  std::size_t order;
};
constexpr std::array<Bayer, 4> kBayers{
    {{"bayer-2", 2}, {"bayer-4", 4}, {"bayer-8", 8}, {"bayer-16", 16}}};

// torch's way from float to byte: what does not fit loses its upper bits, and from 2^31 on there
// are no others.
std::uint8_t WrapToByte(float value) {
  const float scaled = value * 255.0F;
  const bool fits = scaled > -0x1p31F && scaled < 0x1p31F;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(fits ? scaled : 0.0F));
}

// Few colours, chosen for each picture anew.
class ImageQuantizeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape shape = call.Image(kImage).shape();
    const std::int64_t colors = call.Int(kColors);
    if (colors < 1 || colors > static_cast<std::int64_t>(MedianCut::kMostColors)) {
      return Error{ErrorCode::kInvalidArgument, "bad number of colors: " + std::to_string(colors)};
    }
    if (shape.channels != 3 || shape.plane() == 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "takes red, green and blue, not " + shape.ToString()};
    }
    graph::Tensor image = call.TakeTensor(kImage);
    Result<graph::Tensor> output = call.OutputLike(image);
    if (!output.ok()) {
      return output.error();
    }
    bytes_.resize(shape.plane());
    for (std::size_t b = 0; b < shape.batch; ++b) {
      const float* in = image.data() + b * shape.plane();
      std::transform(in, in + shape.plane(), bytes_.begin(), WrapToByte);
      Quantize({bytes_, shape.width, shape.height}, static_cast<std::size_t>(colors),
               call.Text(kDither));
      std::ranges::transform(bytes_, output->mutable_data() + b * shape.plane(), ByteToFloat);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  void Quantize(const BytePicture& picture, std::size_t colors, std::string_view dither) {
    map_.SetPalette(median_cut_.MakePalette(picture.bytes, colors));
    if (dither == kFloydSteinberg) {
      floyd_steinberg_.Apply(map_, picture);
      return;
    }
    const auto* bayer = std::ranges::find(kBayers, dither, &Bayer::name);
    if (bayer != kBayers.end()) {
      bayer_pattern_.Prepare(bayer->order, map_.size());
      bayer_pattern_.AddTo(picture);
    }
    ApplyPalette(map_, picture);
  }

  std::vector<std::uint8_t> bytes_;
  MedianCut median_cut_;
  PaletteMap map_;
  FloydSteinberg floyd_steinberg_;
  BayerPattern bayer_pattern_;
};

std::vector<std::string> DitherNames() {
  std::vector<std::string> names{"none", std::string(kFloydSteinberg)};
  for (const Bayer& bayer : kBayers) {
    names.emplace_back(bayer.name);
  }
  return names;
}

}  // namespace

graph::NodeClass ImageQuantize() {
  return {.spec = {.class_type = "ImageQuantize",
                   .category = "image/postprocessing",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::IntInput("colors", {.value = 256, .min = 1, .max = 256}),
                              graph::ChoiceInput("dither", DitherNames())},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageQuantizeNode>(); }};
}

}  // namespace framelock::nodes
