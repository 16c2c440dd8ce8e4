// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <thread>

#include "workers/nodes/fault/fault_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kSeconds };

// A node that takes long to load, as a large model does, and then does nothing.
class FaultLoadSleepNode final : public graph::Node {
 public:
  Status Load(graph::NodeCall& call) override {
    if (call.Has(kSeconds)) {
      std::this_thread::sleep_for(std::chrono::duration<double>(call.Float(kSeconds)));
    }
    return {};
  }

  Status Run(graph::NodeCall& call) override {
    call.SetOutput(0, call.TakeTensor(kImage));
    return {};
  }
};

}  // namespace

graph::NodeClass FaultLoadSleep() {
  return {
      .spec = {.class_type = "FaultLoadSleep",
               .category = "fault",
               .python_module = "framelock",
               .inputs = {graph::ImageInput("image"),
                          graph::FloatInput("seconds", {.value = 10.0, .min = 0.0, .max = 3600.0})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<FaultLoadSleepNode>(); }};
}

}  // namespace framelock::nodes
