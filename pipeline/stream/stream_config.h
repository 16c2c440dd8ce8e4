// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::stream {

/// What a worker is told beside its prompt; unset: its own default. See workers/PROTOCOL.md.
struct WorkerSettings {
  std::optional<std::string> cwd;  // the folder of its input and output folders
  std::optional<bool> gpu_only, disable_cuda_malloc;
  std::optional<std::string> preview_method;  // none | auto | latent2rgb | taesd

  friend bool operator==(const WorkerSettings&, const WorkerSettings&) = default;
};

/// What one framelock-stream process needs to know. Made by framelockd from the start request,
/// handed over as JSON (field names as below).
struct StreamConfig {
  std::string id;
  std::optional<std::string> subscribe_url;  // http(s): trickle; ws(s): WebSocket
  std::optional<std::string> publish_url;
  std::optional<std::string> data_url;  // http(s): where the graph's texts go, as JSON lines
  int width = 512;                      // the graph's input: scaled to cover, centre-cropped
  int height = 512;
  std::optional<int> max_framerate;  // 1..60; unset: the input's own
  int gop_seconds = 2;
  int bitrate_kbps = 2000;
  std::string encoder = "x264";  // x264 | openh264
  bool hardware = false;         // codecs in hardware, where there are any; else the ones above
  bool trace_latency = false;    // see LatencyTrace
  std::string on_missing = "passthrough";  // repeat | passthrough | gap
  std::string cadence = "steady";          // steady | every | as-ready
  std::optional<int> latency_ms;           // from arrival to publication; unset: what it takes
  int max_in_flight = 1;
  std::string audio = "pass";          // pass | none
  int audio_buffer_ms = 10'000;        // of audio that waits for its video; the oldest is dropped
  int max_text_bytes = 16'384;         // of one text that the graph makes; longer ones are dropped
  int max_waiting_texts = 256;         // at each place where they wait; the oldest is dropped
  int max_input_pixels = 4096 * 2304;  // of a picture; the most of H.264 level 5.2
  int input_retry_seconds = 60;        // without a channel or contact; 0: never give up

  WorkerSettings worker;  // for whoever gives the worker its prompt

  // When a worker is judged hung and replaced. workerfilter's properties of these names without
  // "worker_" tell what each means.
  int worker_heartbeat_timeout_ms = 750;
  int worker_first_frame_timeout_ms = 10'000;
  int worker_frame_timeout_ms = 1000;
  int worker_frame_timeout_factor = 8;
  int worker_load_timeout_ms = 180'000;
  int prompt_timeout_ms = 20'000;  // of one set_prompt; longer than its asker waits

  friend bool operator==(const StreamConfig&, const StreamConfig&) = default;
};

/// Of width and height.
inline constexpr int kMinSide = 16;
inline constexpr int kMaxSide = 4096;

nlohmann::json ToJson(const StreamConfig& config);
/// Those that are set.
nlohmann::json ToJson(const WorkerSettings& settings);
/// Those that `json` names; other names are ignored. kInvalidArgument names the field and the
/// reason.
Result<WorkerSettings> WorkerSettingsFromJson(const nlohmann::json& json);
/// `wanted`, and where that is unset, `before`.
WorkerSettings Merged(WorkerSettings wanted, const WorkerSettings& before);
/// What `json` does not name is as in `defaults`. kInvalidArgument names the field and the reason.
Result<StreamConfig> StreamConfigFromJson(const nlohmann::json& json,
                                          const StreamConfig& defaults = {});

}  // namespace framelock::stream
