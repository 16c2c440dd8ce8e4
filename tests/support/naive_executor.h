// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/node_registry.h"
#include "workers/graph/prompt.h"
#include "workers/graph/validate.h"
#include "workers/graph/validate_input.h"

namespace framelock::test {

/// What a prompt means, without a plan: for each frame, new nodes, and every ancestor of a good
/// output runs, from a memory of its own; nothing is kept, shared or done in place.
class NaiveExecutor {
 public:
  NaiveExecutor(const graph::NodeRegistry& registry, const graph::Prompt& prompt,
                const graph::Verdict& verdict, std::uint64_t pool_bytes)
      : registry_(registry),
        prompt_(prompt),
        sinks_(verdict.good_outputs),
        pool_bytes_(pool_bytes) {}

  /// One tensor for each good output; nullopt if a node failed, which failure() then tells.
  std::optional<std::vector<graph::Tensor>> Run(const graph::Tensor& frame) {
    graph::TensorPool pool(pool_bytes_);
    pool_ = &pool;
    frame_ = frame;
    values_.clear();
    std::vector<graph::Tensor> results;
    for (const std::string& sink : sinks_) {
      const Status ran = Evaluate(*prompt_.Find(sink));
      if (!ran.ok()) {
        failure_ = ran.error().message;
        return std::nullopt;
      }
      results.push_back(emitted_[*prompt_.Find(sink)]);
    }
    return results;
  }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  class Call final : public graph::NodeCall {
   public:
    Call(NaiveExecutor& executor, std::size_t node, const graph::NodeClass& node_class)
        : inputs(node_class.inputs.size()), executor_(executor), node_(node) {}

    [[nodiscard]] std::size_t input_count() const override { return inputs.size(); }
    [[nodiscard]] bool Has(std::size_t i) const override {
      return !std::holds_alternative<std::monostate>(inputs[i]);
    }
    [[nodiscard]] const graph::Value& input(std::size_t i) const override { return inputs[i]; }
    graph::Tensor TakeTensor(std::size_t i) override { return Image(i); }
    graph::Tensor TakeFrame() override { return executor_.frame_; }
    Result<graph::Audio> TakeAudio(std::chrono::milliseconds) override {
      return Error{ErrorCode::kUnavailable, "there is no audio"};
    }
    [[nodiscard]] graph::FrameUse use() const override { return graph::FrameUse::kShown; }
    graph::TensorPool& pool() override { return *executor_.pool_; }
    graph::FaultHooks& fault_hooks() override { return executor_.faults_; }
    void SetOutput(std::size_t output, graph::Value value) override {
      executor_.values_[node_][output] = std::move(value);
    }
    void Emit(graph::Tensor image) override { executor_.emitted_[node_] = std::move(image); }
    void EmitAudio(graph::Audio) override {}
    void EmitText(std::string) override {}

    std::vector<graph::Value> inputs;

   private:
    NaiveExecutor& executor_;
    std::size_t node_;
  };

  static graph::Value LiteralOf(const graph::Json& json) {
    if (json.is_string()) return json.get<std::string>();
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<std::int64_t>();
    if (json.is_number_float()) return json.get<double>();
    return {};
  }

  Status Evaluate(std::size_t index) {
    if (values_.contains(index)) {
      return {};
    }
    const graph::PromptNode& stated = prompt_.nodes()[index];
    const graph::NodeClass& node_class =
        *registry_.Find(stated.class_type->get_ref<const std::string&>());
    const std::unique_ptr<graph::Node> node = node_class.make();
    Call call(*this, index, node_class);
    const auto given = [&](std::size_t i) -> const graph::Json* {
      const auto* found = graph::Applies(node_class.inputs, i, stated)
                              ? stated.FindInput(node_class.inputs[i].name)
                              : nullptr;
      return found == nullptr ? nullptr : &found->value;
    };
    for (const graph::PromptNode::Input& input : *stated.inputs) {
      const bool link = input.value.is_array() && input.value.size() == 2 &&
                        input.value[0].is_string() && input.value[1].is_number();
      const auto declared = [&](const graph::NodeInput& one) { return one.name == input.name; };
      if (link && input.name.find('.') == std::string::npos &&
          std::ranges::none_of(node_class.inputs, declared)) {
        return Error{ErrorCode::kInvalidArgument, "unexpected input " + input.name};
      }
    }
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      const graph::Json* value = given(i);
      call.inputs[i] = value == nullptr || value->is_array() ? graph::Value() : LiteralOf(*value);
    }
    if (Status loaded = node->Load(call); !loaded.ok()) {
      return loaded;
    }
    for (const graph::Laziness laziness : {graph::Laziness::kEager, graph::Laziness::kLazy}) {
      // Nodes look only at what fits.
      if (Status fits = CheckInputs(node_class, call, given);
          !fits.ok() && laziness == graph::Laziness::kLazy) {
        return fits;
      }
      for (std::size_t i = 0; i < call.inputs.size(); ++i) {
        const graph::Json* value = given(i);
        if (value == nullptr || !value->is_array() ||
            node_class.inputs[i].spec->laziness != laziness ||
            (laziness == graph::Laziness::kLazy && !node->Needs(call, i))) {
          continue;
        }
        graph::LinkTarget target;
        graph::ResolveLink(registry_, prompt_, *value, target);
        if (Status upstream = Evaluate(target.node); !upstream.ok()) {
          return upstream;
        }
        call.inputs[i] = values_[target.node][target.slot];
      }
    }
    if (Status fits = CheckInputs(node_class, call, given); !fits.ok()) {
      return fits;
    }
    values_[index].resize(node_class.spec.outputs.size());
    return node->Run(call);
  }

  template <typename Given>
  static Status CheckInputs(const graph::NodeClass& node_class, const Call& call,
                            const Given& given) {
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      const graph::NodeInput& declared = node_class.inputs[i];
      const bool lazy = declared.spec->laziness == graph::Laziness::kLazy;
      const bool wanted = given(i) != nullptr ||
                          (declared.presence == graph::Presence::kRequired && !declared.branch);
      // An optional picture may be null, unless it is one of a group.
      const graph::ValueKind kind = declared.spec->kind;
      const bool picture = kind == graph::ValueKind::kImage || kind == graph::ValueKind::kMask ||
                           kind == graph::ValueKind::kImageOrMask;
      const bool optional = declared.presence == graph::Presence::kOptional &&
                            declared.name.find('.') == std::string::npos;
      const bool left_out = !call.Has(i) && (lazy || (picture && optional));
      if (wanted && !left_out && !graph::Fits(call.inputs[i], kind)) {
        return Error{ErrorCode::kInvalidArgument, "input '" + declared.name + "' does not fit"};
      }
    }
    return {};
  }

  const graph::NodeRegistry& registry_;
  const graph::Prompt& prompt_;
  std::vector<std::string> sinks_;
  std::uint64_t pool_bytes_;
  graph::FaultHooks faults_;
  graph::TensorPool* pool_ = nullptr;
  graph::Tensor frame_;
  std::map<std::size_t, std::vector<graph::Value>> values_;  // by node
  std::map<std::size_t, graph::Tensor> emitted_;             // by node
  std::string failure_;
};

}  // namespace framelock::test
