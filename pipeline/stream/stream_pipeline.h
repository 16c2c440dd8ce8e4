// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/stream/audio_line.h"
#include "pipeline/stream/cover_scale.h"
#include "pipeline/stream/departures.h"
#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/latency_trace.h"
#include "pipeline/stream/media_input.h"
#include "pipeline/stream/media_output.h"
#include "pipeline/stream/output_pace.h"
#include "pipeline/stream/stream_config.h"
#include "pipeline/stream/stream_status.h"
#include "pipeline/stream/text_line.h"

namespace framelock::stream {

/// One stream's GstPipeline:
///
///   source ! tsdemux ! decoder ! crop ! convert and scale ! workerfilter ! x264enc ! queue !
///              │                                                                       │
///              └─ audio ──────────── AudioLine ─────────────────────────────── mpegtsmux ! sink
///
/// workerfilter asks for another size by an event that goes upstream; see CoverScale.
///
/// Owned by the process's main thread, which calls everything but SetPrompt and SwitchWorker. The
/// destructor stops it and joins its threads. What waits, waits in the source's bounded queue (read
/// more slowly), in workerfilter (skipped and counted) or in the sink's bounded queue (dropped by
/// whole segments). With cadence steady the frames that are encoded wait for their time in front of
/// the muxer, too (OutputPace); no other cadence has that queue.
class StreamPipeline {
 public:
  struct Options {
    StreamConfig config;
    MediaInput::Options input;  // url, patience and frame rate come from the configuration
    /// Set: workerfilter starts its own worker with this prompt file. Unset: workers are lent.
    std::optional<std::string> prompt_file;
  };

  struct WorkerReady {
    int pid;
  };
  struct WorkerSwitched {  // by SwitchWorker
    int pid;
  };
  struct WorkerLost {
    std::string reason, detail;
    int pid;  // 0: it never said
  };
  struct Ended {};  // everything that came in went out
  struct Failed {
    std::string message;
  };
  using Event = std::variant<WorkerReady, WorkerSwitched, WorkerLost, Ended, Failed>;

  struct PromptAnswer {
    bool applied = false;
    bool in_force = false;  // applied, or downstream did not take the last frame of before in time
    std::uint64_t revision = 0;
    nlohmann::json errors;  // an object; empty if applied
  };

  /// GStreamer must be initialised. kInvalidArgument: the configuration names no input.
  static Result<std::unique_ptr<StreamPipeline>> Create(const Options& options);
  ~StreamPipeline();
  StreamPipeline(const StreamPipeline&) = delete;
  StreamPipeline& operator=(const StreamPipeline&) = delete;

  Status Start();
  /// Hands a worker's socket to workerfilter; it replaces the one at hand. With `size`, frames have
  /// it from the next one on.
  void LendWorker(UniqueFd socket, std::optional<PictureSize> size = std::nullopt);
  /// A prompt, and what changes with it: the size of its frames, the worker's settings.
  struct PromptChange {
    std::string prompt;
    std::optional<PictureSize> size{};
    std::string settings{};  // a JSON object; empty: as before
  };
  /// Blocks until the worker has answered, and if it has applied the prompt until what was made
  /// before is published; any thread, one at a time.
  PromptAnswer SetPrompt(const PromptChange& change);
  /// Lets a lent worker take over between two frames, whose frames are to have `size` if that
  /// changes; likewise.
  PromptAnswer SwitchWorker(UniqueFd socket, std::optional<PictureSize> size = std::nullopt);
  /// Ends the input; Ended follows once the output is finished.
  void RequestEnd();
  /// Stops everything at once. SetPrompt and SwitchWorker return.
  void Stop();

  /// Readable when NextEvent() may have something.
  [[nodiscard]] int bus_fd() const;
  std::optional<Event> NextEvent();

  /// What the graph says of the frames that are published.
  [[nodiscard]] TextLine& texts() { return *texts_; }

  [[nodiscard]] StreamStatus Look(SteadyTime now) const;

 private:
  explicit StreamPipeline(const Options& options);

  Status Build();
  Status AddFilter();
  static GstPadProbeReturn OnUpstreamEvent(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static void OnText(GstElement* filter, guint64 sequence, guint64 pts, const gchar* text,
                     gpointer line);
  PromptAnswer ToAnswer(GstStructure* result);
  std::optional<Event> Translate(GstMessage* message);
  static std::optional<Event> Shrug(GstMessage* message);
  Event Fail(std::string message);
  Event FromError(GstMessage* message);

  const Options options_;
  // All outlive the pads that they watch.
  const std::unique_ptr<LatencyTrace> trace_;
  const std::unique_ptr<OutputPace> pace_;  // null: not every cadence has one
  std::unique_ptr<TextLine> texts_;
  Departures departures_;
  const ElementPtr pipeline_;
  const BusPtr bus_;
  const SteadyTime created_;
  GstElement* filter_ = nullptr;  // the pipeline's
  std::optional<AudioLine> audio_;
  std::unique_ptr<CoverScale> scale_;
  std::unique_ptr<MediaInput> input_;
  std::unique_ptr<MediaOutput> output_;
  bool playing_ = false, ended_ = false;
  bool ending_ = false;  // on request: what fails now is of no interest
  std::string failure_;
};

}  // namespace framelock::stream
