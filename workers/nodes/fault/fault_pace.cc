// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <thread>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"
#include "workers/nodes/fault/service_times.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kMean = kFirstFaultInput, kNoise, kSeed, kPauseAt, kPause };

// A node as uneven as a real model: its time varies around a mean, and one frame takes longer.
class FaultPaceNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    if (!times_) {
      times_.emplace(ServiceTimes::Options{.mean = ServiceTimes::Seconds(call.Float(kMean)),
                                           .noise = call.Float(kNoise),
                                           .seed = static_cast<std::uint32_t>(call.Int(kSeed)),
                                           .pause_at = call.Int(kPauseAt),
                                           .pause = ServiceTimes::Seconds(call.Float(kPause))});
    }
    std::this_thread::sleep_for(times_->Next());
    return {};
  }

  std::optional<ServiceTimes> times_;
};

}  // namespace

graph::NodeClass FaultPace() {
  return FaultClass<FaultPaceNode>(
      "FaultPace", {graph::FloatInput("seconds", {.value = 0.04, .min = 0.0, .max = 3600.0}),
                    graph::FloatInput("noise", {.value = 0.3, .min = 0.0, .max = 1.0}),
                    graph::IntInput("seed", {.value = 0, .min = 0, .max = 0xFFFF'FFFF}),
                    graph::IntInput("pause_at", {.value = -1, .min = -1, .max = 1'000'000'000}),
                    graph::FloatInput("pause_seconds", {.value = 0.5, .min = 0.0, .max = 3600.0})});
}

}  // namespace framelock::nodes
