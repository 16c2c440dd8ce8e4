// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "workers/nodes/hex_color.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// "#rrggbb" as the number 0xrrggbb.
class ColorToRgbIntNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto* text = std::get_if<std::string>(&call.input(0));
    if (text == nullptr || text->size() != 7 || text->front() != '#') {
      return Error{ErrorCode::kInvalidArgument, "Color must be in format #RRGGBB"};
    }
    const Result<HexColor> color = ParseHexColor(std::string_view(*text).substr(1));
    if (!color.ok()) {
      return color.error();
    }
    call.SetOutput(0, std::int64_t{color->red} << 16 | std::int64_t{color->green} << 8 |
                          std::int64_t{color->blue});
    return {};
  }
};

graph::InputSpec ColorInput() {
  graph::InputSpec input{.name = "color", .type = "COLOR"};
  input.options = {{"default", "#ffffff"}, {"socketless", true}};
  return input;
}

}  // namespace

graph::NodeClass ColorToRGBInt() {
  return {.spec = {.class_type = "ColorToRGBInt",
                   .display_name = "Color to RGB Int",
                   .category = "utils",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {ColorInput()},
                   .outputs = {{"INT", "rgb_int"}}},
          .make = [] { return std::make_unique<ColorToRgbIntNode>(); }};
}

}  // namespace framelock::nodes
