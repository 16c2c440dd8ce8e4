// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::stream {

/// What one framelock-stream process needs to know. Made by framelockd from the start request,
/// handed over as JSON (field names as below).
struct StreamConfig {
  std::string id;
  std::optional<std::string> subscribe_url;  // http(s): trickle; ws(s): WebSocket
  std::optional<std::string> publish_url;
  int width = 512;  // the graph's input: scaled to cover, centre-cropped
  int height = 512;
  std::optional<int> max_framerate;  // 1..60; unset: the input's own
  int gop_seconds = 2;
  int bitrate_kbps = 2000;
  std::string on_missing = "passthrough";  // repeat | passthrough | gap
  int max_in_flight = 1;
  int input_retry_seconds = 60;  // without a channel or contact; 0: never give up

  friend bool operator==(const StreamConfig&, const StreamConfig&) = default;
};

nlohmann::json ToJson(const StreamConfig& config);
/// kInvalidArgument names the field and the reason.
Result<StreamConfig> StreamConfigFromJson(const nlohmann::json& json);

}  // namespace framelock::stream
