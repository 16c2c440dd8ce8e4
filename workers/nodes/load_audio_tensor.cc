// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <string>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// A piece of the stream's audio. It is there before the graph runs, so the timeout never passes.
class LoadAudioTensorNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    constexpr double kMin = 10;
    constexpr double kMax = 10'000;
    const double length = call.Float(0);
    if (!(length >= kMin && length <= kMax)) {
      return Error{ErrorCode::kInvalidArgument, "buffer_size must be 10 to 10000 (ms)"};
    }
    Result<graph::Audio> audio =
        call.TakeAudio(std::chrono::milliseconds(static_cast<std::int64_t>(length)));
    if (!audio.ok()) {
      return audio.error();
    }
    call.SetOutput(0, std::move(*audio));
    return {};
  }
};

graph::InputSpec BufferSize() {
  graph::InputSpec input{.name = "buffer_size", .type = "FLOAT", .kind = graph::ValueKind::kFloat};
  input.options = {{"default", 500.0}, {"tooltip", "Audio buffer size in milliseconds"}};
  return input;
}

graph::InputSpec TimeoutSeconds() {
  graph::InputSpec input =
      graph::FloatInput("timeout_seconds", {.value = 1.0, .min = 0.1, .max = 30.0, .step = 0.1});
  input.options["tooltip"] = "Timeout in seconds";
  return graph::Optional(std::move(input));
}

}  // namespace

graph::NodeClass LoadAudioTensor() {
  return {.spec = {.class_type = "LoadAudioTensor",
                   .display_name = "LoadAudioTensor",
                   .category = "ComfyStream/Loaders",
                   .python_module = "custom_nodes.comfystream",
                   .inputs = {BufferSize(), TimeoutSeconds()},
                   .outputs = {{"AUDIO", "audio"}},
                   .source = graph::Medium::kAudio,
                   .freshness = graph::Freshness::kEveryFrame},
          .make = [] { return std::make_unique<LoadAudioTensorNode>(); }};
}

}  // namespace framelock::nodes
