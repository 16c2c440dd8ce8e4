// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace framelock::stream {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxIdBytes = 256;
constexpr std::size_t kMaxUrlBytes = 2048;
constexpr int kMinHeartbeatMs = 200;  // two beats
constexpr int kMinInputPixels = 16 * 16;
constexpr int kMaxInputPixels = 8192 * 4352;  // of H.264 level 6.2
constexpr int kMaxTextBytes = 65'536;         // the worker protocol's
constexpr std::int64_t kMaxWaitingTextBytes = 4 << 20;
constexpr int kDayMs = 86'400'000;
constexpr std::array kSchemes = {"http://", "https://", "ws://", "wss://"};
constexpr std::array kAudio = {"pass", "none"};
constexpr std::array kOnMissing = {"repeat", "passthrough", "gap"};
constexpr std::array kEncoders = {"x264", "openh264"};
constexpr std::array kCadence = {"steady", "every", "as-ready"};
constexpr std::array kPreviews = {"none", "auto", "latent2rgb", "taesd"};
constexpr std::size_t kMaxPathBytes = 4096;
constexpr int kMaxLatencyMs = 10'000;

Error Bad(std::string_view field, const std::string& reason) {
  return Error{ErrorCode::kInvalidArgument, std::string(field) + ": " + reason};
}

// Reads the fields of one object and remembers the first thing wrong.
class FieldReader {
 public:
  explicit FieldReader(const json& object) : object_(object) {}

  void Text(const char* name, std::size_t max_bytes, std::string& out) {
    const json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(name, "must be a string");
    const auto& text = value->get_ref<const std::string&>();
    if (text.empty()) return Fail(name, "must not be empty");
    if (text.size() > max_bytes) {
      return Fail(name, "longer than " + std::to_string(max_bytes) + " bytes");
    }
    if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; })) {
      return Fail(name, "contains a control character");
    }
    out = text;
  }

  void Url(const char* name, std::optional<std::string>& out) {
    std::string text;
    Text(name, kMaxUrlBytes, text);
    if (text.empty()) return;
    const auto scheme = std::find_if(kSchemes.begin(), kSchemes.end(),
                                     [&](const char* s) { return text.starts_with(s); });
    if (scheme == kSchemes.end()) return Fail(name, "must begin with http(s):// or ws(s)://");
    if (text.size() == std::string_view(*scheme).size()) return Fail(name, "has no host");
    out = std::move(text);
  }

  void Number(const char* name, int min, int max, int& out) {
    const json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_number_integer()) return Fail(name, "must be an integer");
    const bool too_big = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX;
    const std::int64_t number = too_big ? INT64_MAX : value->get<std::int64_t>();
    if (number < min || number > max) {
      return Fail(name, "must be " + std::to_string(min) + ".." + std::to_string(max));
    }
    out = static_cast<int>(number);
  }

  void Number(const char* name, int min, int max, std::optional<int>& out) {
    if (Find(name) == nullptr) return;
    int number = min;
    Number(name, min, max, number);
    out = number;
  }

  void Flag(const char* name, bool& out) {
    const json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Fail(name, "must be a boolean");
    out = value->get<bool>();
  }

  template <typename Value>
  void Optional(const char* name, std::optional<Value>& out) {
    if (Find(name) == nullptr) return;
    Value value{};
    if constexpr (std::is_same_v<Value, bool>) {
      Flag(name, value);
    } else {
      Text(name, kMaxPathBytes, value);
    }
    out = std::move(value);
  }

  void Fail(std::string_view name, const std::string& reason) {
    if (!error_) error_ = Bad(name, reason);
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// After all fields were read: what else is in the object is an error too.
  std::optional<Error> Finish() {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) Fail(key, "unknown field");
    }
    return error_;
  }

 private:
  // null stands for "not given".
  const json* Find(const char* name) {
    known_.emplace_back(name);
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  const json& object_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

void ReadSettings(FieldReader& reader, WorkerSettings& settings) {
  reader.Optional("cwd", settings.cwd);
  reader.Optional("gpu_only", settings.gpu_only);
  reader.Optional("disable_cuda_malloc", settings.disable_cuda_malloc);
  reader.Optional("preview_method", settings.preview_method);
  if (settings.preview_method &&
      std::find(kPreviews.begin(), kPreviews.end(), *settings.preview_method) == kPreviews.end()) {
    reader.Fail("preview_method", "must be none, auto, latent2rgb or taesd");
  }
}

// The bounds are those of workerfilter's properties.
void ReadTimeouts(FieldReader& reader, StreamConfig& config) {
  reader.Number("worker_heartbeat_timeout_ms", kMinHeartbeatMs, kDayMs,
                config.worker_heartbeat_timeout_ms);
  reader.Number("worker_first_frame_timeout_ms", 1, kDayMs, config.worker_first_frame_timeout_ms);
  reader.Number("worker_frame_timeout_ms", 1, kDayMs, config.worker_frame_timeout_ms);
  reader.Number("worker_frame_timeout_factor", 1, 1000, config.worker_frame_timeout_factor);
  reader.Number("worker_load_timeout_ms", 1, kDayMs, config.worker_load_timeout_ms);
  reader.Number("prompt_timeout_ms", 1, kDayMs, config.prompt_timeout_ms);
}

}  // namespace

json ToJson(const StreamConfig& config) {
  json out = {{"id", config.id},
              {"width", config.width},
              {"height", config.height},
              {"gop_seconds", config.gop_seconds},
              {"bitrate_kbps", config.bitrate_kbps},
              {"encoder", config.encoder},
              {"hardware", config.hardware},
              {"trace_latency", config.trace_latency},
              {"on_missing", config.on_missing},
              {"cadence", config.cadence},
              {"max_in_flight", config.max_in_flight},
              {"audio", config.audio},
              {"audio_buffer_ms", config.audio_buffer_ms},
              {"max_text_bytes", config.max_text_bytes},
              {"max_waiting_texts", config.max_waiting_texts},
              {"max_input_pixels", config.max_input_pixels},
              {"input_retry_seconds", config.input_retry_seconds},
              {"worker_heartbeat_timeout_ms", config.worker_heartbeat_timeout_ms},
              {"worker_first_frame_timeout_ms", config.worker_first_frame_timeout_ms},
              {"worker_frame_timeout_ms", config.worker_frame_timeout_ms},
              {"worker_frame_timeout_factor", config.worker_frame_timeout_factor},
              {"worker_load_timeout_ms", config.worker_load_timeout_ms},
              {"prompt_timeout_ms", config.prompt_timeout_ms}};
  if (config.subscribe_url) out["subscribe_url"] = *config.subscribe_url;
  if (config.publish_url) out["publish_url"] = *config.publish_url;
  if (config.data_url) out["data_url"] = *config.data_url;
  if (config.max_framerate) out["max_framerate"] = *config.max_framerate;
  if (config.latency_ms) out["latency_ms"] = *config.latency_ms;
  out.update(ToJson(config.worker));
  return out;
}

json ToJson(const WorkerSettings& settings) {
  json out = json::object();
  if (settings.cwd) out["cwd"] = *settings.cwd;
  if (settings.gpu_only) out["gpu_only"] = *settings.gpu_only;
  if (settings.disable_cuda_malloc) out["disable_cuda_malloc"] = *settings.disable_cuda_malloc;
  if (settings.preview_method) out["preview_method"] = *settings.preview_method;
  return out;
}

Result<WorkerSettings> WorkerSettingsFromJson(const json& object) {
  if (!object.is_object()) return Bad("worker settings", "must be an object");
  WorkerSettings settings;
  FieldReader reader(object);
  ReadSettings(reader, settings);
  if (reader.error()) return *reader.error();
  return settings;
}

WorkerSettings Merged(WorkerSettings wanted, const WorkerSettings& before) {
  if (!wanted.cwd) wanted.cwd = before.cwd;
  if (!wanted.gpu_only) wanted.gpu_only = before.gpu_only;
  if (!wanted.disable_cuda_malloc) wanted.disable_cuda_malloc = before.disable_cuda_malloc;
  if (!wanted.preview_method) wanted.preview_method = before.preview_method;
  return wanted;
}

Result<StreamConfig> StreamConfigFromJson(const json& object, const StreamConfig& defaults) {
  if (!object.is_object()) return Bad("stream configuration", "must be an object");
  StreamConfig config = defaults;
  FieldReader reader(object);
  reader.Text("id", kMaxIdBytes, config.id);
  if (config.id.empty()) reader.Fail("id", "is missing");
  reader.Url("subscribe_url", config.subscribe_url);
  reader.Url("publish_url", config.publish_url);
  reader.Url("data_url", config.data_url);
  if (config.data_url && !config.data_url->starts_with("http")) {
    reader.Fail("data_url", "must begin with http(s)://, it is a trickle channel");
  }
  reader.Number("width", kMinSide, kMaxSide, config.width);
  reader.Number("height", kMinSide, kMaxSide, config.height);
  reader.Number("max_framerate", 1, 60, config.max_framerate);
  reader.Number("gop_seconds", 1, 60, config.gop_seconds);
  reader.Number("bitrate_kbps", 50, 100'000, config.bitrate_kbps);
  reader.Text("encoder", 32, config.encoder);
  if (std::find(kEncoders.begin(), kEncoders.end(), config.encoder) == kEncoders.end()) {
    reader.Fail("encoder", "must be x264 or openh264");
  }
  reader.Flag("hardware", config.hardware);
  reader.Flag("trace_latency", config.trace_latency);
  reader.Text("on_missing", 32, config.on_missing);
  if (std::find(kOnMissing.begin(), kOnMissing.end(), config.on_missing) == kOnMissing.end()) {
    reader.Fail("on_missing", "must be repeat, passthrough or gap");
  }
  reader.Text("cadence", 32, config.cadence);
  if (std::find(kCadence.begin(), kCadence.end(), config.cadence) == kCadence.end()) {
    reader.Fail("cadence", "must be steady, every or as-ready");
  }
  reader.Number("latency_ms", 1, kMaxLatencyMs, config.latency_ms);
  reader.Number("max_in_flight", 1, 16, config.max_in_flight);
  reader.Text("audio", 32, config.audio);
  if (std::find(kAudio.begin(), kAudio.end(), config.audio) == kAudio.end()) {
    reader.Fail("audio", "must be pass or none");
  }
  reader.Number("audio_buffer_ms", 100, 60'000, config.audio_buffer_ms);
  reader.Number("max_text_bytes", 1, kMaxTextBytes, config.max_text_bytes);
  reader.Number("max_waiting_texts", 1, 4096, config.max_waiting_texts);
  if (std::int64_t{config.max_waiting_texts} * config.max_text_bytes > kMaxWaitingTextBytes) {
    reader.Fail("max_waiting_texts",
                "times max_text_bytes must not be above " + std::to_string(kMaxWaitingTextBytes));
  }
  reader.Number("max_input_pixels", kMinInputPixels, kMaxInputPixels, config.max_input_pixels);
  reader.Number("input_retry_seconds", 0, 86'400, config.input_retry_seconds);
  ReadSettings(reader, config.worker);
  ReadTimeouts(reader, config);
  if (std::optional<Error> error = reader.Finish()) return std::move(*error);
  return config;
}

}  // namespace framelock::stream
