// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node.h"

namespace framelock::nodes {

/// Passes on the second input if the first is false, else the third; only that one is computed.
class SwitchNode final : public graph::Node {
 public:
  bool Needs(const graph::NodeCall& call, std::size_t input) override {
    return input == Selected(call);
  }

  Status Run(graph::NodeCall& call) override {
    const std::size_t selected = Selected(call);
    const bool is_tensor = std::holds_alternative<graph::Tensor>(call.input(selected));
    call.SetOutput(0, is_tensor ? graph::Value(call.TakeTensor(selected)) : call.input(selected));
    return {};
  }

 private:
  enum Input : std::size_t { kSwitch, kOnFalse, kOnTrue };
  static std::size_t Selected(const graph::NodeCall& call) {
    return call.Has(kSwitch) && call.Boolean(kSwitch) ? kOnTrue : kOnFalse;
  }
};

}  // namespace framelock::nodes
