// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/live_stream.h"

#include <utility>

namespace framelock::bench {

using nlohmann::json;

json PassthroughGraph() {
  return {{"1", {{"class_type", "LoadTensor"}, {"inputs", json::object()}}},
          {"2", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"1", 0}}}}}}};
}

json InvertGraph() { return GraphOf("ImageInvert", json::object()); }

json GraphOf(const std::string& node, json inputs) {
  inputs["image"] = {"1", 0};
  return {{"1", {{"class_type", "LoadTensor"}, {"inputs", json::object()}}},
          {"2", {{"class_type", node}, {"inputs", std::move(inputs)}}},
          {"3", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"2", 0}}}}}}};
}

Result<std::unique_ptr<LiveStream>> LiveStream::Start(House& house, const Options& options) {
  const std::string name = options.name.empty() ? House::NewName("stream") : options.name;
  json params = {{"width", options.width}, {"height", options.height}};
  if (house.owner() == House::Owner::kOurs) {
    params.update(options.params);
    params["prompt"] = options.graph.dump();
  } else {
    params["max_framerate"] = options.fps;  // else 24
  }
  const auto started = house.api().Ask("POST", "/stream/start",
                                       {{"subscribe_url", options.source_channel},
                                        {"publish_url", OutputOf(house, name)},
                                        {"gateway_request_id", name},
                                        {"params", std::move(params)}});
  if (!started) return started.error();
  return std::unique_ptr<LiveStream>(new LiveStream(house, name));
}

LiveStream::~LiveStream() {
  const bool ours = house_.owner() == House::Owner::kOurs;
  const std::string path = ours ? "/stream/" + name_ + "/stop" : "/stream/stop";
  static_cast<void>(house_.api().Call("POST", path, json::object()));
}

Result<json> LiveStream::ReadStatus() {
  return house_.api().Ask("GET", "/stream/" + name_ + "/status");
}

}  // namespace framelock::bench
