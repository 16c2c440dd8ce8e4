// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "workers/nodes/hex_color.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImages, kBackgroundColor };

using Color = std::array<float, 3>;

Result<Color> Background(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('#'), text.size()));
  const Result<HexColor> color = ParseHexColor(text);
  if (!color.ok()) {
    return Error{ErrorCode::kInvalidArgument, "background_color: " + color.error().message};
  }
  const auto value = [](std::uint8_t byte) { return static_cast<float>(byte / 255.0); };
  return Color{value(color->red), value(color->green), value(color->blue)};
}

// The picture over a background of one colour; a picture without alpha stays as it is.
class FlattenNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor images = call.Image(kImages);
    graph::TensorShape shape = images.shape();
    if (shape.channels != 4) {
      call.SetOutput(0, images);
      return {};
    }
    const Result<Color> background = Background(call.Text(kBackgroundColor));
    if (!background.ok()) {
      return background.error();
    }
    shape.channels = 3;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const auto [red, green, blue] = *background;
    const float* in = images.data();
    float* out = output->mutable_data();
    for (std::size_t i = 0; i < output->size() / 3; ++i) {
      const float alpha = in[4 * i + 3];
      const float rest = 1.0F - alpha;
      out[3 * i] = alpha * in[4 * i] + rest * red;
      out[3 * i + 1] = alpha * in[4 * i + 1] + rest * green;
      out[3 * i + 2] = alpha * in[4 * i + 2] + rest * blue;
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

graph::InputSpec ColorInput() {
  graph::InputSpec input = graph::StringInput("background_color");
  input.options["default"] = "#FFFFFF";
  return input;
}

}  // namespace

graph::NodeClass Flatten() {
  return {.spec = {.class_type = "Flatten",
                   .display_name = "Flatten",
                   .category = "image/postprocessing",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("images"), ColorInput()},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<FlattenNode>(); }};
}

}  // namespace framelock::nodes
