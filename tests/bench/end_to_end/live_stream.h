// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/core/result.h"
#include "tests/bench/end_to_end/house.h"

namespace framelock::bench {

/// Graphs that suites run, in ComfyUI's API format.
nlohmann::json PassthroughGraph();
nlohmann::json InvertGraph();
/// One node with these inputs between LoadTensor and SaveTensor.
nlohmann::json GraphOf(const std::string& node, nlohmann::json inputs);

/// One stream in a house: started here, stopped by the destructor. One thread.
class LiveStream {
 public:
  struct Options {
    std::string source_channel;
    nlohmann::json graph = PassthroughGraph();  // peers run what they run
    int width = 512;
    int height = 512;
    int fps = 30;                                      // of the source
    nlohmann::json params = nlohmann::json::object();  // further ones, for framelockd only
    std::string name;                                  // empty: a new one
  };

  /// Returns when the server has answered.
  static Result<std::unique_ptr<LiveStream>> Start(House& house, const Options& options);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// URL of the channel that it publishes.
  [[nodiscard]] std::string output() const { return OutputOf(house_, name_); }
  [[nodiscard]] static std::string OutputOf(const House& house, const std::string& name) {
    return house.Channel(name + "-out");
  }
  /// Ours only.
  Result<nlohmann::json> ReadStatus();

 private:
  LiveStream(House& house, std::string name) : house_(house), name_(std::move(name)) {}

  House& house_;
  std::string name_;
};

}  // namespace framelock::bench
