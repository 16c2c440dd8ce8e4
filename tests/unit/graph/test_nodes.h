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

/// A node that computes one of its lazy inputs: `pick` counts them.
class PickNode final : public Node {
 public:
  explicit PickNode(std::vector<std::string>& log) : log_(log) {}
  bool Needs(const NodeCall& call, std::size_t input) override { return input == Picked(call); }
  Status Run(NodeCall& call) override {
    log_.emplace_back("Pick");
    call.SetOutput(0, call.TakeTensor(Picked(call)));
    return {};
  }

 private:
  static std::size_t Picked(const NodeCall& call) {
    return static_cast<std::size_t>(1 + call.Int(0));
  }
  std::vector<std::string>& log_;
};

/// Source, Sink, Add(image, amount), Constant(value) -> IMAGE of 1x1, Number -> INT, Fail(image),
/// Join(a, b) = a + b, Pick(pick, first, second: both lazy), Sum(images.image0 …): up to four, and
/// Shift(by: "little" with by.steps, or "much" with by.steps and by.image). Each call appends the
/// class to `log`.
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
  add({.class_type = "Source",
       .outputs = {image},
       .source = Medium::kPicture,
       .freshness = Freshness::kEveryFrame},
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
  add({.class_type = "Sum",
       .style = SchemaStyle::kSchema,
       .inputs = {AutogrowInput("images", ImageInput("image"),
                                {.prefix = "image", .min = 2, .max = 4})},
       .outputs = {image}},
      [](NodeCall& call) {
        Result<Tensor> output = call.pool().Allocate({1, 1, 1, 1});
        output->mutable_data()[0] = 0;
        for (std::size_t i = 0; i < call.input_count(); ++i) {
          output->mutable_data()[0] *= 10;
          output->mutable_data()[0] += call.Has(i) ? call.Image(i).data()[0] : 0;
        }
        call.SetOutput(0, *output);
        return Status();
      });
  const InputSpec steps = IntInput("steps", any);
  add({.class_type = "Shift",
       .style = SchemaStyle::kSchema,
       .inputs = {DynamicComboInput("by",
                                    {{"little", {steps}}, {"much", {steps, ImageInput("image")}}})},
       .outputs = {image}},
      [](NodeCall& call) {
        Result<Tensor> output = call.pool().Allocate({1, 1, 1, 1});
        output->mutable_data()[0] =
            call.Text(0) == "little"
                ? static_cast<float>(call.Int(1))
                : 1000 * static_cast<float>(call.Int(2)) + call.Image(3).data()[0];
        call.SetOutput(0, *output);
        return Status();
      });
  const NodeSpec pick{.class_type = "Pick",
                      .inputs = {IntInput("pick", any), Lazy(ImageInput("first")),
                                 Optional(Lazy(ImageInput("second")))},
                      .outputs = {image}};
  if (!registry.Add({.spec = pick, .make = [&log] { return std::make_unique<PickNode>(log); }})
           .ok()) {
    std::abort();
  }
  return registry;
}

}  // namespace framelock::graph
