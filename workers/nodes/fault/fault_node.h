// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// Inputs: image, then the fault's own, then `after`.
inline constexpr std::size_t kFaultImage = 0;
inline constexpr std::size_t kFirstFaultInput = 1;

/// Passes the image on; once `after` shown frames have passed, does the fault on each frame.
class FaultNode : public graph::Node {
 public:
  explicit FaultNode(std::size_t after_input) : after_input_(after_input) {}

  Status Run(graph::NodeCall& call) final {
    call.SetOutput(0, call.Image(kFaultImage));
    if (call.use() == graph::FrameUse::kRehearsal) {
      return {};
    }
    const std::int64_t after = call.Has(after_input_) ? call.Int(after_input_) : 0;
    return frames_++ < after ? Status() : Fault(call);
  }

 protected:
  virtual Status Fault(graph::NodeCall& call) = 0;

 private:
  std::size_t after_input_;
  std::int64_t frames_ = 0;
};

/// A class of such nodes; Fault is constructed with the position of `after`.
template <typename Fault>
graph::NodeClass FaultClass(const std::string& class_type,
                            std::vector<graph::InputSpec> own_inputs) {
  std::vector<graph::InputSpec> inputs{graph::ImageInput("image")};
  for (graph::InputSpec& input : own_inputs) {
    inputs.push_back(std::move(input));
  }
  const std::size_t after_input = inputs.size();
  inputs.push_back(
      graph::Optional(graph::IntInput("after", {.value = 0, .min = 0, .max = 1'000'000'000})));
  return {.spec = {.class_type = class_type,
                   .category = "fault",
                   .python_module = "framelock",
                   .inputs = std::move(inputs),
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [after_input] { return std::make_unique<Fault>(after_input); }};
}

}  // namespace framelock::nodes
