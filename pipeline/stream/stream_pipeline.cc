// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_pipeline.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "pipeline/core/json_shape.h"
#include "pipeline/stream/elements.h"

namespace framelock::stream {

namespace {

using nlohmann::json;

constexpr const char* kSteady = "steady";  // the cadence that is even at the output

std::string TextField(const GstStructure* structure, const char* name) {
  const gchar* text = gst_structure_get_string(structure, name);
  return text == nullptr ? std::string() : text;
}

int IntField(const GstStructure* structure, const char* name) {
  gint value = 0;
  gst_structure_get_int(structure, name, &value);
  return value;
}

Hardware HardwareUse(const StreamConfig& config) {
  return config.hardware ? Hardware::kAllowed : Hardware::kNever;
}

MediaInput::Options InputOptions(const StreamPipeline::Options& options, LatencyTrace* trace) {
  MediaInput::Options input = options.input;
  input.url = *options.config.subscribe_url;
  input.give_up_after = std::chrono::seconds(options.config.input_retry_seconds);
  input.max_framerate = options.config.max_framerate;
  input.hardware = HardwareUse(options.config);
  input.trace = trace;
  input.max_pixels = options.config.max_input_pixels;
  return input;
}

std::unique_ptr<OutputPace> MakePace(const StreamConfig& config) {
  if (config.cadence != kSteady) return nullptr;
  std::optional<OutputPace::Time> latency;
  if (config.latency_ms) latency = std::chrono::milliseconds(*config.latency_ms);
  return std::make_unique<OutputPace>(latency);
}

MediaOutput::Options OutputOptions(const StreamConfig& config, LatencyTrace* trace,
                                   OutputPace* pace) {
  return {.url = config.publish_url,
          .encoder = {.name = config.encoder,
                      .hardware = HardwareUse(config),
                      .gop = std::chrono::seconds(config.gop_seconds),
                      .bitrate_kbps = config.bitrate_kbps,
                      .pixels = config.width * config.height},
          .trace = trace,
          .pace = pace};
}

}  // namespace

StreamPipeline::StreamPipeline(const Options& options)
    : options_(options),
      trace_(options.config.trace_latency ? std::make_unique<LatencyTrace>() : nullptr),
      pace_(MakePace(options.config)),
      pipeline_(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new("stream")))),
      bus_(gst_element_get_bus(pipeline_.get())),
      created_(Clock::System().Now()) {}

StreamPipeline::~StreamPipeline() { Stop(); }

Result<std::unique_ptr<StreamPipeline>> StreamPipeline::Create(const Options& options) {
  if (!options.config.subscribe_url) {
    return Error{ErrorCode::kInvalidArgument, "subscribe_url: is missing, there is no input"};
  }
  std::unique_ptr<StreamPipeline> stream(new StreamPipeline(options));
  Result<std::unique_ptr<TextLine>> texts =
      TextLine::Create(static_cast<std::size_t>(options.config.max_waiting_texts));
  if (!texts) return texts.error();
  stream->texts_ = std::move(*texts);
  if (const Status built = stream->Build(); !built) return built.error();
  return stream;
}

Status StreamPipeline::Build() {
  GstBin* bin = GST_BIN(pipeline_.get());
  if (Status added = AddFilter(); !added) return added;
  Result<std::unique_ptr<CoverScale>> scale =
      CoverScale::Create({options_.config.width, options_.config.height}, bin, filter_);
  if (!scale) return scale.error();
  scale_ = std::move(*scale);
  if (options_.config.audio == "pass") {
    audio_.emplace(
        AudioLine::Options{.max_wait = std::chrono::milliseconds(options_.config.audio_buffer_ms)});
  }
  MediaInput::Options from = InputOptions(options_, trace_.get());
  from.audio = audio_ ? &*audio_ : nullptr;
  from.filter = filter_;
  Result<std::unique_ptr<MediaInput>> input = MediaInput::Create(from, bin, scale_->entry());
  if (!input) return input.error();
  input_ = std::move(*input);
  // Another filter may have no way through it.
  if (gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(filter_), "audio_sink") == nullptr) {
    input_->RouteAudio(AudioInput::Way::kBeside);
  }
  MediaOutput::Options to = OutputOptions(options_.config, trace_.get(), pace_.get());
  to.departures = &departures_;
  to.audio = from.audio;
  Result<std::unique_ptr<MediaOutput>> output = MediaOutput::Create(to, bin, filter_);
  if (!output) return output.error();
  output_ = std::move(*output);
  const PadPtr entry(gst_element_get_static_pad(filter_, "sink"));
  if (pace_) pace_->Watch(entry.get(), OutputPace::Step::kArrived);
  if (trace_) {
    const PadPtr exit(gst_element_get_static_pad(filter_, "src"));
    trace_->Watch(entry.get(), LatencyTrace::Hop::kConvert);
    trace_->Watch(exit.get(), LatencyTrace::Hop::kWorker);
  }
  return {};
}

Status StreamPipeline::AddFilter() {
  Result<GstElement*> filter = AddElement(GST_BIN(pipeline_.get()), "workerfilter");
  if (!filter) return filter.error();
  filter_ = *filter;
  const StreamConfig& config = options_.config;
  gst_util_set_object_arg(G_OBJECT(filter_), "on-missing", config.on_missing.c_str());
  gst_util_set_object_arg(G_OBJECT(filter_), "cadence", config.cadence.c_str());
  gst_util_set_object_arg(G_OBJECT(filter_), "release", pace_ ? "at-once" : "even");
  const std::pair<const char*, int> numbers[] = {
      {"latency", config.latency_ms.value_or(0)},
      {"max-in-flight", config.max_in_flight},
      {"max-text-bytes", config.max_text_bytes},
      {"heartbeat-timeout", config.worker_heartbeat_timeout_ms},
      {"first-frame-timeout", config.worker_first_frame_timeout_ms},
      {"frame-timeout", config.worker_frame_timeout_ms},
      {"frame-timeout-factor", config.worker_frame_timeout_factor},
      {"load-timeout", config.worker_load_timeout_ms},
      {"prompt-timeout", config.prompt_timeout_ms}};
  for (const auto& [name, value] : numbers) {
    gst_util_set_object_arg(G_OBJECT(filter_), name, std::to_string(value).c_str());
  }
  if (options_.prompt_file) {
    g_object_set(filter_, "prompt-file", options_.prompt_file->c_str(), nullptr);
  } else {
    g_object_set(filter_, "lent", TRUE, nullptr);
  }
  g_signal_connect(filter_, "text", G_CALLBACK(&StreamPipeline::OnText), texts_.get());
  const PadPtr entry(gst_element_get_static_pad(filter_, "sink"));
  gst_pad_add_probe(entry.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
                    &StreamPipeline::OnUpstreamEvent, this, nullptr);
  return {};
}

void StreamPipeline::OnText(GstElement* /*filter*/, guint64 sequence, guint64 pts,
                            const gchar* text, gpointer line) {
  FrameText said{.sequence = sequence, .pts_ticks = std::nullopt, .text = text};
  if (GST_CLOCK_TIME_IS_VALID(pts)) said.pts_ticks = ToTicks(pts);
  static_cast<TextLine*>(line)->Put(std::move(said));
}

GstPadProbeReturn StreamPipeline::OnUpstreamEvent(GstPad* /*pad*/, GstPadProbeInfo* info,
                                                  gpointer self) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (gst_event_has_name(event, "framelock-size") == 0) return GST_PAD_PROBE_OK;
  guint width = 0;
  guint height = 0;
  const GstStructure* size = gst_event_get_structure(event);
  gst_structure_get_uint(size, "width", &width);
  gst_structure_get_uint(size, "height", &height);
  spdlog::info("frames of {}x{} from now on", width, height);
  static_cast<StreamPipeline*>(self)->scale_->Resize(
      {static_cast<gint>(width), static_cast<gint>(height)});
  gst_event_unref(event);
  return GST_PAD_PROBE_HANDLED;
}

Status StreamPipeline::Start() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    playing_ = true;
    return {};
  }
  const MessagePtr error(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (error) FromError(error.get());
  if (failure_.empty()) Fail("the pipeline does not start");
  return Error{ErrorCode::kInternal, failure_};
}

void StreamPipeline::LendWorker(UniqueFd socket, std::optional<PictureSize> size) {
  if (size) scale_->Resize(*size);
  g_object_set(filter_, "worker-fd", socket.release(), nullptr);
}

StreamPipeline::PromptAnswer StreamPipeline::SetPrompt(const PromptChange& change) {
  const StructurePtr update(gst_structure_new("framelock-update", "prompt", G_TYPE_STRING,
                                              change.prompt.c_str(), nullptr));
  if (change.size) {
    gst_structure_set(update.get(), "width", G_TYPE_UINT, guint(change.size->width), "height",
                      G_TYPE_UINT, guint(change.size->height), nullptr);
  }
  if (!change.settings.empty()) {
    gst_structure_set(update.get(), "settings", G_TYPE_STRING, change.settings.c_str(), nullptr);
  }
  GstStructure* result = nullptr;
  g_signal_emit_by_name(filter_, "update", update.get(), &result);
  return ToAnswer(result);
}

StreamPipeline::PromptAnswer StreamPipeline::SwitchWorker(UniqueFd socket,
                                                          std::optional<PictureSize> size) {
  const PictureSize as_before{0, 0};
  const PictureSize wanted = size.value_or(as_before);
  GstStructure* result = nullptr;
  g_signal_emit_by_name(filter_, "switch-worker", socket.release(), guint(wanted.width),
                        guint(wanted.height), &result);
  return ToAnswer(result);
}

StreamPipeline::PromptAnswer StreamPipeline::ToAnswer(GstStructure* result) {
  const StructurePtr owner(result);
  PromptAnswer answer;
  if (result == nullptr) {
    answer.errors = {{"error", "the stream is stopping"}};
    return answer;
  }
  gboolean applied = FALSE;
  gboolean in_force = FALSE;
  guint64 revision = 0;
  gst_structure_get_boolean(result, "applied", &applied);
  gst_structure_get_boolean(result, "in-force", &in_force);
  gst_structure_get_uint64(result, "revision", &revision);
  answer.applied = applied != 0;
  answer.in_force = in_force != 0;
  answer.revision = revision;
  if (answer.applied) {
    answer.errors = json::object();
    if (pace_) pace_->Forget();
    departures_.Await();
    return answer;
  }
  const std::string text = TextField(result, "errors");
  // A worker's words, whatever they are; they stand one level down in our message.
  if (const Status shape = CheckJsonShape(text, {.max_depth = JsonLimits{}.max_depth - 1});
      !shape) {
    answer.errors = {{"error",
                      {{"type", "invalid_prompt"},
                       {"message", "the worker's reasons are " + shape.error().message},
                       {"details", ""},
                       {"extra_info", json::object()}}},
                     {"node_errors", json::object()}};
    return answer;
  }
  answer.errors = json::parse(text, nullptr, false);
  if (!answer.errors.is_object()) answer.errors = {{"error", text}};
  return answer;
}

void StreamPipeline::RequestEnd() {
  ending_ = true;
  input_->End();
}

void StreamPipeline::Stop() {
  departures_.Stop();
  if (output_) output_->Stop();
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

int StreamPipeline::bus_fd() const {
  GPollFD entry{};
  gst_bus_get_pollfd(bus_.get(), &entry);
  return entry.fd;
}

std::optional<StreamPipeline::Event> StreamPipeline::NextEvent() {
  while (const MessagePtr message{gst_bus_pop(bus_.get())}) {
    if (std::optional<Event> event = Translate(message.get())) return event;
  }
  if (ended_ || !failure_.empty()) return std::nullopt;
  if (const std::optional<Error> verdict = input_->Verdict(Clock::System().Now())) {
    return Fail(verdict->message);
  }
  return std::nullopt;
}

std::optional<StreamPipeline::Event> StreamPipeline::Translate(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_EOS:
      ended_ = true;
      return Ended{};
    case GST_MESSAGE_ERROR:
      if (AudioInput::IsFromAudio(message)) return Shrug(message);
      // One failure makes others: the first one tells.
      if (ended_ || !failure_.empty()) return std::nullopt;
      return FromError(message);
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
      return std::nullopt;
    case GST_MESSAGE_ELEMENT:
      break;
    default:
      return std::nullopt;
  }
  const GstStructure* structure = gst_message_get_structure(message);
  if (gst_structure_has_name(structure, "framelock-audio") != 0) {
    const std::chrono::milliseconds length(IntField(structure, "length"));
    constexpr std::chrono::seconds kWorker{2};  // the filter's patience with its worker
    const bool taken = length.count() > 0;
    if (audio_) audio_->AllowLate(taken ? length + kWorker : std::chrono::milliseconds(0));
    input_->RouteAudio(taken ? AudioInput::Way::kThrough : AudioInput::Way::kBeside);
    return std::nullopt;
  }
  if (gst_structure_has_name(structure, "framelock-worker") == 0) return std::nullopt;
  const int pid = IntField(structure, "pid");
  const std::string event = TextField(structure, "event");
  if (event == "ready") return WorkerReady{pid};
  if (event == "switched") return WorkerSwitched{pid};
  if (pace_) pace_->Forget();
  return WorkerLost{TextField(structure, "reason"), TextField(structure, "detail"), pid};
}

// The video goes on.
std::optional<StreamPipeline::Event> StreamPipeline::Shrug(GstMessage* message) {
  GError* details = nullptr;
  gst_message_parse_error(message, &details, nullptr);
  spdlog::warn("input audio: {}", details->message);
  g_error_free(details);
  return std::nullopt;
}

StreamPipeline::Event StreamPipeline::Fail(std::string message) {
  failure_ = std::move(message);
  return Failed{failure_};
}

StreamPipeline::Event StreamPipeline::FromError(GstMessage* message) {
  GError* details = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &details, &debug);
  const std::string text = details->message;
  spdlog::debug("{}: {} ({})", GST_MESSAGE_SRC_NAME(message), text, debug == nullptr ? "" : debug);
  g_error_free(details);
  g_free(debug);
  if (ending_) {
    ended_ = true;
    return Ended{};
  }
  if (input_ && input_->ExplainsNoVideo(message)) {
    return Fail("input is not MPEG-TS with a video stream");
  }
  return Fail(text);
}

StreamStatus StreamPipeline::Look(SteadyTime now) const {
  StreamStatus status;
  status.filter = ReadStats(filter_);
  if (pace_) {
    status.filter["budget_us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(pace_->budget()).count();
  }
  status.input = input_->Stats();
  status.output = output_->Stats();
  if (trace_) status.latency_trace = trace_->Figures();
  if (audio_) {
    const AudioLine::Counts audio = audio_->counts();
    status.output["audio_passed"] = audio.passed;
    status.output["audio_dropped"] = audio.dropped;
  }
  const MediaInput::Counts counts = input_->counts();
  status.decode_errors = counts.decode_errors;
  status.last_error = failure_;
  status.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - created_);
  const auto worker = status.filter.find("worker_state");
  status.state = Judge({.playing = playing_,
                        .ended = ended_,
                        .failed = !failure_.empty(),
                        .worker_ready = worker != status.filter.end() && *worker == "ready",
                        .last_picture = counts.last_picture},
                       now);
  return status;
}

}  // namespace framelock::stream
