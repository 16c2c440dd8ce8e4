// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// The audio that leaves the graph. Conversion to 16 bits is the boundary's.
class SaveAudioTensorNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    call.EmitAudio(call.Sound(0));
    return {};
  }
};

}  // namespace

graph::NodeClass SaveAudioTensor() {
  return {.spec = {.class_type = "SaveAudioTensor",
                   .display_name = "SaveAudioTensor",
                   .category = "audio_utils",
                   .python_module = "custom_nodes.comfystream",
                   .inputs = {graph::AudioInput("audio")},
                   .is_output = true,
                   .sink = graph::Medium::kAudio,
                   .freshness = graph::Freshness::kEveryFrame},
          .make = [] { return std::make_unique<SaveAudioTensorNode>(); }};
}

}  // namespace framelock::nodes
