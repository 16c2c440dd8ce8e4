// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/node_registry.h"

namespace framelock::graph {

/// A node made of a function, for tests.
class FunctionNode final : public Node {
 public:
  using Function = std::function<Status(NodeCall&)>;
  explicit FunctionNode(Function function) : function_(std::move(function)) {}
  Status Run(NodeCall& call) override { return function_(call); }

 private:
  Function function_;
};

inline NodeClass MakeClass(NodeSpec spec, FunctionNode::Function function) {
  return {.spec = std::move(spec), .make = [function = std::move(function)] {
            return std::make_unique<FunctionNode>(function);
          }};
}

/// Source, Sink, Add(image, amount), Constant(value) -> IMAGE of 1x1, Number -> INT, Fail(image),
/// and Join(a, b) = a + b. Each call appends the class to `log`.
inline NodeRegistry TestNodes(std::vector<std::string>& log) {
  NodeRegistry registry;
  const auto add = [&](NodeSpec spec, FunctionNode::Function function) {
    const std::string name = spec.class_type;
    const Status added = registry.Add(
        MakeClass(std::move(spec), [&log, name, function = std::move(function)](NodeCall& call) {
          log.push_back(name);
          return function(call);
        }));
    if (!added.ok()) {
      std::abort();
    }
  };
  const OutputSpec image{"IMAGE", "IMAGE"};
  const IntRange any{.value = 0, .min = 0, .max = 100};
  add({.class_type = "Source", .outputs = {image}, .freshness = Freshness::kEveryFrame},
      [](NodeCall& call) {
        call.SetOutput(0, call.TakeFrame());
        return Status();
      });
  add({.class_type = "Sink", .inputs = {ImageInput("images")}, .is_output = true},
      [](NodeCall& call) {
        call.Emit(call.TakeTensor(0));
        return Status();
      });
  add({.class_type = "Add",
       .inputs = {ImageInput("image"), IntInput("amount", any)},
       .outputs = {image}},
      [](NodeCall& call) {
        Tensor input = call.TakeTensor(0);
        Result<Tensor> output = call.OutputLike(input);
        for (std::size_t i = 0; i < input.size(); ++i) {
          output->mutable_data()[i] = input.data()[i] + static_cast<float>(call.Int(1));
        }
        call.SetOutput(0, *output);
        return Status();
      });
  add({.class_type = "Join", .inputs = {ImageInput("a"), ImageInput("b")}, .outputs = {image}},
      [](NodeCall& call) {
        Tensor a = call.TakeTensor(0);
        const Tensor b = call.Image(1);
        Result<Tensor> output = call.OutputLike(a);
        for (std::size_t i = 0; i < a.size(); ++i) {
          output->mutable_data()[i] = a.data()[i] + b.data()[i];
        }
        call.SetOutput(0, *output);
        return Status();
      });
  add({.class_type = "Constant", .inputs = {IntInput("value", any)}, .outputs = {image}},
      [](NodeCall& call) {
        Result<Tensor> output = call.pool().Allocate({1, 1, 1, 1});
        output->mutable_data()[0] = static_cast<float>(call.Int(0));
        call.SetOutput(0, *output);
        return Status();
      });
  add({.class_type = "Number", .outputs = {{"INT", "INT"}}}, [](NodeCall& call) {
    call.SetOutput(0, std::int64_t{7});
    return Status();
  });
  add({.class_type = "Fail", .inputs = {ImageInput("image")}, .outputs = {image}}, [](NodeCall&) {
    return Status(Error{ErrorCode::kInternal, "it broke"});
  });
  return registry;
}

}  // namespace framelock::graph
