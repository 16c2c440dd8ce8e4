// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "plugins/filter_engine.h"
#include "plugins/filter_output.h"
#include "plugins/worker_filter.h"

namespace framelock::plugins {

/// The properties as they are set; they take effect at the next start.
struct WorkerFilterSettings {
  std::string prompt;
  std::string prompt_file;
  std::string worker_command;
  enum class Source : bool { kOwn, kLent } source = Source::kOwn;
  FrameLine::Options line;
  std::size_t upstream_margin = 3;
  std::size_t downstream_margin = 4;
  std::size_t max_text_bytes = 16'384;
  std::chrono::milliseconds prompt_timeout{10'000};
  std::chrono::milliseconds latency{0};
  host::ProgressWatch::Options watch;
};

/// What a workerfilter holds beside its GObject. `mutex` guards all but the last block.
struct WorkerFilterState {
  mutable std::mutex mutex;
  WorkerFilterSettings settings;
  std::shared_ptr<FilterEngine> engine;  // from READY->PAUSED to PAUSED->READY
  FilterStats last_stats;                // of the run before
  std::optional<PacketSocket> lent;      // set before the start

  std::atomic<GstFlowReturn> flow{GST_FLOW_OK};  // of the source pad
  std::atomic<bool> eos{false};                  // EOS came in
  std::atomic<bool> failed{false};               // and the bus knows why
  std::mutex ending;      // held while an end is decided on and until downstream has it
  bool finished = false;  // under it: downstream was told the end after a refusal
  std::atomic<std::int64_t> reported_latency{0};  // nanoseconds, the highest so far
  std::unique_ptr<FilterOutput> output;           // the task's; created and deleted while it is off
  std::uint64_t pushed = 0;                       // the task's
  std::atomic<std::uint32_t> audio_rate{0};       // 0: not known yet

  std::shared_ptr<FilterEngine> Running() const {
    const std::lock_guard lock(mutex);
    return engine;
  }
  FilterStats Stats() const {
    const std::lock_guard lock(mutex);
    return engine ? engine->Stats() : last_stats;
  }
};

}  // namespace framelock::plugins

struct _FramelockWorkerFilter {
  GstElement parent;
  GstPad* sinkpad;
  GstPad* srcpad;
  GstPad* audio_sinkpad;  // null unless they were requested
  GstPad* audio_srcpad;
  framelock::plugins::WorkerFilterState* state;
};

namespace framelock::plugins {

/// Makes the pads from the class's templates and gives them their functions.
void AddWorkerFilterPads(FramelockWorkerFilter* self);

/// The audio's pads, the two together; null if they are there.
GstPad* RequestWorkerFilterAudio(FramelockWorkerFilter* self, GstPadTemplate* sink);
void ReleaseWorkerFilterAudio(FramelockWorkerFilter* self, GstPad* pad);
/// Lets events and queries pass between the pads of one medium only.
void SeparatePads(std::initializer_list<GstPad*> pads);
/// On the task's thread.
void PushAudio(FramelockWorkerFilter* self, AudioOutput output);
/// Owns the event.
Cargo EventCargo(GstEvent* event);

/// Installs the element's properties, which read and write its settings.
void InstallWorkerFilterProperties(GObjectClass* klass);

/// The `stats` property.
GstStructure* StatsStructure(const FilterStats& stats);
/// The answer of the set-prompt, update and switch-worker signals.
GstStructure* PromptStructure(const PromptAnswer& answer);
/// Whether frames can have this size, and what to say if not.
bool IsFrameSize(FrameSize size);
inline constexpr char kBadFrameSize[] = "width, height: both must be there, uint, 1 to 16384";
/// What the update signal was given; kInvalidArgument names the field.
Result<PromptOffer> ReadOffer(const GstStructure* structure);
/// The event that asks upstream for frames of another size.
GstStructure* SizeStructure(FrameSize size);
/// The element messages.
GstStructure* ReadyStructure(std::int32_t pid);
GstStructure* SwitchedStructure(std::int32_t pid);
GstStructure* LostStructure(const WorkerLost& lost);
GstStructure* AudioStructure(std::chrono::milliseconds length);

/// The latency to report now: the fixed one, or by default what frames take, rounded up to 10 ms;
/// it never shrinks, so that sinks need not be told again and again.
std::chrono::nanoseconds WorkerFilterLatency(WorkerFilterState& state);

}  // namespace framelock::plugins
