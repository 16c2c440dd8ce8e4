// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/graph_micro.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "workers/graph/session.h"
#include "workers/nodes/builtin.h"

namespace framelock::bench {
namespace {

constexpr int kNodes = 50;

std::string Node(const std::string& id, const char* class_type, const std::string& inputs) {
  return "\"" + id + R"(":{"class_type":")" + class_type + R"(","inputs":{)" + inputs + "}}";
}

std::string Link(const std::string& id) { return "[\"" + id + "\",0]"; }

// The source, `middle`, and the sink of node `last`.
std::string Prompt(const std::string& middle, const std::string& last) {
  return "{" + Node("in", "LoadTensor", "") + "," + middle +
         Node("out", "SaveTensor", "\"images\":" + Link(last)) + "}";
}

void RunFrames(benchmark::State& state, const std::string& prompt) {
  const graph::NodeRegistry registry = std::move(*nodes::BuiltinNodes());
  const auto session = std::move(*graph::Session::Create(registry));
  if (const auto rejected = session->Prepare(prompt)) {
    return state.SkipWithError(rejected->errors_json.c_str());
  }
  constexpr std::array<std::byte, 3> kFrame{std::byte{9}, std::byte{99}, std::byte{199}};
  for (auto _ : state) {
    if (!session->Run({.bytes = kFrame, .shape = {1, 1, 3}, .stride = 3}).ok()) {
      return state.SkipWithError("a frame failed");
    }
  }
}

}  // namespace

void GraphOfTrivialNodes(benchmark::State& state) {
  std::string middle;
  std::string last = "in";
  for (int i = 0; i < kNodes; ++i) {
    const std::string id = std::to_string(i);
    middle += Node(id, "ImageInvert", "\"image\":" + Link(last)) + ",";
    last = id;
  }
  RunFrames(state, Prompt(middle, last));
}

// The same number of nodes beside one that runs; what they give enters the picture.
void GraphOfCachedNodes(benchmark::State& state) {
  std::string middle =
      Node("c", "EmptyImage", R"("width":1,"height":1,"batch_size":1,"color":7)") + ",";
  std::string last = "c";
  for (int i = 0; i < kNodes; ++i) {
    const std::string id = std::to_string(i);
    middle += Node(id, "ImageInvert", "\"image\":" + Link(last)) + ",";
    last = id;
  }
  middle += Node("blend", "ImageBlend",
                 "\"image1\":" + Link("in") + ",\"image2\":" + Link(last) +
                     R"(,"blend_factor":0.5,"blend_mode":"normal")") +
            ",";
  RunFrames(state, Prompt(middle, "blend"));
}

}  // namespace framelock::bench
