// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/graph/node_registry.h"
#include "workers/graph/node_spec.h"

namespace framelock::nodes {

/// A node without state whose one output follows from its inputs: what a function returns for the
/// call, a Result<graph::Value>.
template <typename Function>
class ValueNode final : public graph::Node {
 public:
  explicit ValueNode(Function function) : function_(std::move(function)) {}

  Status Run(graph::NodeCall& call) override {
    Result<graph::Value> value = function_(call);
    if (!value.ok()) {
      return value.error();
    }
    call.SetOutput(0, std::move(*value));
    return {};
  }

 private:
  Function function_;
};

template <typename Function>
graph::NodeClass ValueClass(graph::NodeSpec spec, Function function) {
  return {.spec = std::move(spec),
          .make = [function] { return std::make_unique<ValueNode<Function>>(function); }};
}

/// An INT or a FLOAT without bounds.
inline graph::InputSpec FreeInt(std::string name, std::optional<std::int64_t> value = {}) {
  graph::InputSpec input{.name = std::move(name), .type = "INT", .kind = graph::ValueKind::kInt};
  input.shows_no_options = true;
  if (value) {
    input.options["default"] = *value;
  }
  return input;
}
inline graph::InputSpec FreeFloat(std::string name, std::optional<double> value = {}) {
  graph::InputSpec input{
      .name = std::move(name), .type = "FLOAT", .kind = graph::ValueKind::kFloat};
  input.shows_no_options = true;
  if (value) {
    input.options["default"] = *value;
  }
  return input;
}

/// INTs have 64 bits here and no end in ComfyUI.
inline Error IntTooLarge() { return {ErrorCode::kInvalidArgument, "the result exceeds 64 bits"}; }

}  // namespace framelock::nodes
