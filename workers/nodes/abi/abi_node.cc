// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/abi/abi_node.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core/log.h"
#include "workers/nodes/abi/class_spec.h"

namespace framelock::nodes {

namespace {

// Version 1 as libraries have been built for it: its structures stay, only the host's table grows.
static_assert(sizeof(void*) != 8 ||
              (sizeof(framelock_tensor) == 24 && sizeof(framelock_value) == 32 &&
               sizeof(framelock_call) == 24 && sizeof(framelock_input) == 120 &&
               sizeof(framelock_output) == 16 && sizeof(framelock_class) == 104 &&
               sizeof(framelock_host) == 40));

// What the nodes of one loaded class share.
struct AbiClass {
  std::string name;
  const framelock_host* host;
  decltype(framelock_class::execute) execute;
  decltype(framelock_class::create) create;
  decltype(framelock_class::destroy) destroy;
  decltype(framelock_class::is_changed) is_changed;
  std::vector<std::uint32_t> inputs;      // their types
  std::vector<framelock_output> outputs;  // without names
  std::vector<std::string> output_names;
};

// What a node's function sees, and behind it what its host needs to serve it.
struct AbiCall : framelock_call {
  graph::NodeCall& node_call;
  std::span<const framelock_value> values;    // the inputs
  std::span<const framelock_output> outputs;  // that may be given in this call
  std::span<bool> given;                      // by output
  std::string error = {};
};

AbiCall& Of(const framelock_call* call) {
  return static_cast<AbiCall&>(const_cast<framelock_call&>(*call));
}

void Fail(AbiCall& call, const std::string& text) {
  if (call.error.empty()) {
    call.error = text;
  }
}

// Nothing that is thrown on one side may reach the other.
template <typename Function>
void Contained(const framelock_call* call, Function function) noexcept {
  try {
    function(Of(call));
  } catch (...) {
    Of(call).error.assign("no memory");  // short enough to need none
  }
}

framelock_value ViewOf(const graph::Value& value, std::uint32_t type) {
  framelock_value view{};
  if (!graph::Fits(value, KindOf(type))) {
    return view;
  }
  view.type = type;
  if (const auto* tensor = std::get_if<graph::Tensor>(&value)) {
    const graph::TensorShape& shape = tensor->shape();
    view.as.tensor = {tensor->data(), {shape.batch, shape.height, shape.width, shape.channels}};
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    view.as.text = {text->c_str(), text->size()};
  } else if (type == FRAMELOCK_INT) {
    view.as.integer = graph::IntOf(value);
  } else if (type == FRAMELOCK_FLOAT) {
    view.as.number = graph::FloatOf(value);
  } else {
    view.as.boolean = graph::BooleanOf(value) ? 1 : 0;
  }
  return view;
}

// False, and the call has failed, if this output cannot be given now.
bool CanGive(AbiCall& call, std::uint32_t output, std::uint32_t type) {
  if (output >= call.outputs.size()) {
    Fail(call, "there is no output " + std::to_string(output) + " to give");
    return false;
  }
  if (call.outputs[output].type != type) {
    Fail(call, "output " + std::to_string(output) + " has type " +
                   std::to_string(call.outputs[output].type) + ", not " + std::to_string(type));
    return false;
  }
  return true;
}

void Give(AbiCall& call, std::uint32_t output, graph::Value value) {
  call.node_call.SetOutput(output, std::move(value));
  call.given[output] = true;
}

// The input itself, shared; an IMAGE or MASK from elsewhere is a failure.
void GiveTensor(AbiCall& call, std::uint32_t output, const framelock_value* value) {
  for (std::size_t i = 0; i < call.values.size(); ++i) {
    if (&call.values[i] == value) {
      return Give(call, output, call.node_call.input(i));
    }
  }
  Fail(call,
       "output " + std::to_string(output) +
           ": set_output takes pictures only from the call's inputs; others are make_tensor's");
}

class AbiNode final : public graph::Node {
 public:
  explicit AbiNode(std::shared_ptr<const AbiClass> node_class)
      : class_(std::move(node_class)),
        values_(class_->inputs.size()),
        given_(std::make_unique<bool[]>(class_->outputs.size())) {}

  ~AbiNode() override { Destroy(); }

  Status Load(graph::NodeCall& node_call) override {
    if (class_->create == nullptr) {
      return {};
    }
    Destroy();  // a node that is loaded late is loaded again if that failed
    AbiCall call = Look(node_call, {});
    const int status = Enter(call, [&] { return class_->create(&call, &state_); });
    created_ = status == 0;
    return Judge(call, status);
  }

  bool HasChanged(graph::NodeCall& node_call) override {
    AbiCall call = Look(node_call, {});
    return Enter(call, [&] { return class_->is_changed(state_, &call); }) != 0;
  }

  Status Run(graph::NodeCall& node_call) override {
    AbiCall call = Look(node_call, class_->outputs);
    if (Status ran = Judge(call, Enter(call, [&] { return class_->execute(state_, &call); }));
        !ran.ok()) {
      return ran;
    }
    for (std::size_t i = 0; i < call.given.size(); ++i) {
      if (!call.given[i]) {
        return Error{ErrorCode::kInternal, "it gave no output '" + class_->output_names[i] + "'"};
      }
    }
    return {};
  }

 private:
  void Destroy() {
    if (created_ && class_->destroy != nullptr) {
      try {
        class_->destroy(state_);
      } catch (...) {
        spdlog::error("{}: an exception left destroy", class_->name);
      }
    }
    created_ = false;
    state_ = nullptr;
  }

  AbiCall Look(graph::NodeCall& node_call, std::span<const framelock_output> outputs) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_[i] = ViewOf(node_call.input(i), class_->inputs[i]);
    }
    const std::span<bool> given(given_.get(), outputs.size());
    std::ranges::fill(given, false);
    return {{.host = class_->host,
             .inputs = values_.data(),
             .rehearsal = node_call.use() == graph::FrameUse::kRehearsal ? 1U : 0U},
            node_call,
            values_,
            outputs,
            given};
  }

  template <typename Function>
  static int Enter(AbiCall& call, Function function) {
    try {
      return function();
    } catch (...) {
      Fail(call, "an exception left the node");
      return 1;
    }
  }

  static Status Judge(const AbiCall& call, int status) {
    if (!call.error.empty()) {
      return Error{ErrorCode::kInternal, call.error};
    }
    if (status != 0) {
      return Error{ErrorCode::kInternal,
                   "it failed with status " + std::to_string(status) + " and said nothing"};
    }
    return {};
  }

  std::shared_ptr<const AbiClass> class_;
  std::vector<framelock_value> values_;
  std::unique_ptr<bool[]> given_;
  void* state_ = nullptr;
  bool created_ = false;
};

}  // namespace

Result<graph::NodeClass> MakeAbiClass(const framelock_class& given, const framelock_host& host,
                                      const std::string& module) {
  Result<graph::NodeSpec> spec = SpecOf(given, module);
  if (!spec.ok()) {
    return spec.error();
  }
  auto shared = std::make_shared<AbiClass>(AbiClass{.name = spec->class_type,
                                                    .host = &host,
                                                    .execute = given.execute,
                                                    .create = given.create,
                                                    .destroy = given.destroy,
                                                    .is_changed = given.is_changed});
  for (std::size_t i = 0; i < given.input_count; ++i) {
    shared->inputs.push_back(given.inputs[i].type);
  }
  for (std::size_t i = 0; i < given.output_count; ++i) {
    shared->outputs.push_back({.name = nullptr, .type = given.outputs[i].type});
    shared->output_names.push_back(spec->outputs[i].name);
  }
  return graph::NodeClass{
      .spec = std::move(*spec),
      .make = [node_class = std::shared_ptr<const AbiClass>(std::move(shared))] {
        return std::make_unique<AbiNode>(node_class);
      }};
}

float* MakeTensor(const framelock_call* call, std::uint32_t output,
                  framelock_shape shape) noexcept {
  float* floats = nullptr;
  Contained(call, [&](AbiCall& abi) {
    const bool mask = output < abi.outputs.size() && abi.outputs[output].type == FRAMELOCK_MASK;
    if (!CanGive(abi, output, mask ? FRAMELOCK_MASK : FRAMELOCK_IMAGE)) {
      return;
    }
    if (mask && shape.channels != 1) {
      return Fail(abi, "output " + std::to_string(output) + ": a MASK has 1 channel, not " +
                           std::to_string(shape.channels));
    }
    Result<graph::Tensor> tensor = abi.node_call.pool().Allocate(
        {shape.batch, shape.height, shape.width, shape.channels,
         mask ? graph::TensorLayout::kMask : graph::TensorLayout::kImage});
    if (!tensor.ok()) {
      return Fail(abi, tensor.error().message);
    }
    floats = tensor->mutable_data();
    Give(abi, output, std::move(*tensor));
  });
  return floats;
}

void SetOutput(const framelock_call* call, std::uint32_t output,
               const framelock_value* value) noexcept {
  Contained(call, [&](AbiCall& abi) {
    const bool combo = value->type == FRAMELOCK_COMBO;
    if (!CanGive(abi, output, combo ? std::uint32_t{FRAMELOCK_STRING} : value->type)) {
      return;
    }
    switch (value->type) {
      case FRAMELOCK_INT:
        return Give(abi, output, value->as.integer);
      case FRAMELOCK_FLOAT:
        return Give(abi, output, value->as.number);
      case FRAMELOCK_BOOLEAN:
        return Give(abi, output, value->as.boolean != 0);
      case FRAMELOCK_IMAGE:
      case FRAMELOCK_MASK:
        return GiveTensor(abi, output, value);
      default:
        return Give(abi, output, std::string(value->as.text.data, value->as.text.size));
    }
  });
}

void SetError(const framelock_call* call, const char* text) noexcept {
  Contained(call, [&](AbiCall& abi) { Fail(abi, text); });
}

}  // namespace framelock::nodes
