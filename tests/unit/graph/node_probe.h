// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/node_registry.h"

namespace framelock::graph {

/// Runs one node on given inputs, outside any graph. Linked inputs that validation would not see
/// can be given too.
class NodeProbe final : public NodeCall {
 public:
  explicit NodeProbe(const NodeClass& node_class)
      : outputs_(node_class.spec.outputs.size()), node_(node_class.make()) {}

  /// "" if it ran, else its error text.
  std::string Run(std::vector<Value> inputs) {
    inputs_ = std::move(inputs);
    const Status ran = node_->Run(*this);
    return ran.ok() ? "" : ran.error().message;
  }

  [[nodiscard]] const Value& output(std::size_t i = 0) const { return outputs_[i]; }
  [[nodiscard]] const Tensor& image(std::size_t i = 0) const { return std::get<Tensor>(output(i)); }
  [[nodiscard]] std::vector<float> floats(std::size_t i = 0) const {
    return {image(i).values().begin(), image(i).values().end()};
  }

  /// A tensor with these values, which start over when they are used up.
  Tensor Make(const TensorShape& shape, std::initializer_list<float> values) {
    Result<Tensor> tensor = pool_.Allocate(shape);
    if (!tensor.ok()) {
      ADD_FAILURE() << tensor.error().message;
      return {};
    }
    for (std::size_t i = 0; i < tensor->size(); ++i) {
      tensor->mutable_data()[i] = values.begin()[i % values.size()];
    }
    return *tensor;
  }
  Tensor MakeMask(std::uint32_t height, std::uint32_t width, std::initializer_list<float> values,
                  std::uint32_t batch = 1) {
    return Make({batch, height, width, 1, TensorLayout::kMask}, values);
  }

  [[nodiscard]] std::size_t input_count() const override { return inputs_.size(); }
  [[nodiscard]] bool Has(std::size_t i) const override {
    return !std::holds_alternative<std::monostate>(input(i));
  }
  [[nodiscard]] const Value& input(std::size_t i) const override {
    static const Value kNothing;
    return i < inputs_.size() ? inputs_[i] : kNothing;
  }
  Tensor TakeTensor(std::size_t i) override { return Image(i); }
  Tensor TakeFrame() override { return {}; }
  Result<Audio> TakeAudio(std::chrono::milliseconds length) override {
    asked_for = length;
    return heard;
  }
  [[nodiscard]] FrameUse use() const override { return FrameUse::kShown; }
  TensorPool& pool() override { return pool_; }
  FaultHooks& fault_hooks() override { return faults_; }
  void SetOutput(std::size_t i, Value value) override { outputs_[i] = std::move(value); }
  void Emit(Tensor image) override { outputs_.assign(1, std::move(image)); }
  void EmitAudio(Audio audio) override { outputs_.assign(1, std::move(audio)); }
  void EmitText(std::string) override {}

  Audio heard;
  std::chrono::milliseconds asked_for{0};

 private:
  TensorPool pool_{64 << 20};
  FaultHooks faults_;
  std::vector<Value> inputs_;
  std::vector<Value> outputs_;
  std::unique_ptr<Node> node_;
};

}  // namespace framelock::graph
