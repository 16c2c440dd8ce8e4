// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kData, kRemoveLinebreaks };

class SaveTextTensorNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    std::string text = call.Text(kData);
    if (!call.Has(kRemoveLinebreaks) || call.Boolean(kRemoveLinebreaks)) {
      std::erase_if(text, [](char byte) { return byte == '\n' || byte == '\r'; });
    }
    call.EmitText(std::move(text));
    return {};
  }
};

}  // namespace

graph::NodeClass SaveTextTensor() {
  return {.spec = {.class_type = "SaveTextTensor",
                   .display_name = "SaveTextTensor",
                   .category = "text_utils",
                   .python_module = "custom_nodes.comfystream",
                   .inputs = {graph::StringInput("data"),
                              graph::Optional(graph::BooleanInput("remove_linebreaks", true))},
                   .is_output = true,
                   .sink = graph::Medium::kText,
                   .freshness = graph::Freshness::kEveryFrame},
          .make = [] { return std::make_unique<SaveTextTensorNode>(); }};
}

}  // namespace framelock::nodes
