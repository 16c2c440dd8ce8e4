// SPDX-License-Identifier: Apache-2.0
#include "plugins/worker_filter_policies.h"
#include "plugins/worker_filter_state.h"

namespace framelock::plugins {

namespace {

const char* WorkerStateText(WorkerState state) {
  switch (state) {
    case WorkerState::kNone:
      return "none";
    case WorkerState::kStarting:
      return "starting";
    case WorkerState::kReady:
      break;
  }
  return "ready";
}

void SetCount(GstStructure* structure, const char* name, std::uint64_t count) {
  gst_structure_set(structure, name, G_TYPE_UINT64, static_cast<guint64>(count), nullptr);
}

void SetMicroseconds(GstStructure* structure, const char* name, std::chrono::nanoseconds time) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  SetCount(structure, name, static_cast<std::uint64_t>(us));
}

}  // namespace

GstStructure* StatsStructure(const FilterStats& stats) {
  GstStructure* s = gst_structure_new_empty("framelock-workerfilter-stats");
  SetCount(s, "inputs", stats.account.inputs);
  SetCount(s, "completed", stats.account.completed);
  SetCount(s, "skipped", stats.account.skipped);
  SetCount(s, "failed", stats.account.failed);
  SetCount(s, "lost", stats.account.lost);
  SetCount(s, "open", stats.account.open);
  SetCount(s, "waiting", stats.waiting);
  SetCount(s, "in-flight", stats.in_flight);
  SetCount(s, "pushed", stats.line.pushed);
  SetCount(s, "passed-through", stats.line.passed_through);
  SetCount(s, "repeated", stats.line.repeated);
  SetCount(s, "late", stats.line.late);
  SetCount(s, "texts", stats.texts);
  SetCount(s, "texts-dropped", stats.texts_dropped);
  SetCount(s, "audio-processed", stats.audio.processed);
  SetCount(s, "audio-passed-through", stats.audio.passed_through);
  SetCount(s, "audio-dropped", stats.audio.dropped);
  SetCount(s, "audio-length-ms", static_cast<std::uint64_t>(stats.audio_length.count()));
  SetCount(s, "copied-in", stats.copied_in);
  SetCount(s, "copied-out", stats.copied_out);
  SetMicroseconds(s, "latency-p50-us", stats.latency_p50);
  SetMicroseconds(s, "latency-p99-us", stats.latency_p99);
  SetMicroseconds(s, "service-p50-us", stats.service_p50);
  SetMicroseconds(s, "service-p99-us", stats.service_p99);
  SetCount(s, "divisor", stats.divisor);
  SetMicroseconds(s, "budget-us", stats.budget);
  SetCount(s, "prompt-revision", stats.prompt_revision);
  SetCount(s, "worker-restarts", stats.worker_restarts);
  gst_structure_set(s, "fps-in", G_TYPE_DOUBLE, stats.fps_in, "fps-out", G_TYPE_DOUBLE,
                    stats.fps_out, "worker-pid", G_TYPE_INT, stats.worker_pid, "worker-state",
                    G_TYPE_STRING, WorkerStateText(stats.worker_state), "output-width", G_TYPE_UINT,
                    stats.output_width, "output-height", G_TYPE_UINT, stats.output_height,
                    "cadence", G_TYPE_STRING, CadenceText(stats.cadence), "last-error",
                    G_TYPE_STRING, stats.last_error.c_str(), nullptr);
  return s;
}

GstStructure* PromptStructure(const PromptAnswer& answer) {
  const gboolean applied = answer.kind == PromptAnswer::Kind::kApplied;
  const gboolean in_force = applied || answer.kind == PromptAnswer::Kind::kUntaken;
  return gst_structure_new("framelock-prompt-result", "applied", G_TYPE_BOOLEAN, applied,
                           "in-force", G_TYPE_BOOLEAN, in_force, "revision", G_TYPE_UINT64,
                           static_cast<guint64>(answer.revision), "errors", G_TYPE_STRING,
                           answer.errors.c_str(), nullptr);
}

Result<PromptOffer> ReadOffer(const GstStructure* structure) {
  const auto invalid = [](const char* what) { return Error{ErrorCode::kInvalidArgument, what}; };
  const gchar* text = structure ? gst_structure_get_string(structure, "prompt") : nullptr;
  if (text == nullptr) return invalid("prompt: is missing or no string");
  PromptOffer offer{.text = text};
  if (const gchar* settings = gst_structure_get_string(structure, "settings")) {
    offer.settings = settings;
  }
  const bool sized =
      gst_structure_has_field(structure, "width") || gst_structure_has_field(structure, "height");
  if (!sized) return offer;
  guint width = 0;
  guint height = 0;
  const bool read = gst_structure_get_uint(structure, "width", &width) &&
                    gst_structure_get_uint(structure, "height", &height);
  offer.size = FrameSize{width, height};
  if (!read || !IsFrameSize(*offer.size)) return invalid(kBadFrameSize);
  return offer;
}

bool IsFrameSize(FrameSize size) {
  const auto fits = [](guint side) { return side >= 1 && side <= protocol::kMaxDimension; };
  return fits(size.width) && fits(size.height);
}

GstStructure* SizeStructure(FrameSize size) {
  return gst_structure_new("framelock-size", "width", G_TYPE_UINT, size.width, "height",
                           G_TYPE_UINT, size.height, nullptr);
}

GstStructure* ReadyStructure(std::int32_t pid) {
  return gst_structure_new("framelock-worker", "event", G_TYPE_STRING, "ready", "pid", G_TYPE_INT,
                           pid, nullptr);
}

GstStructure* SwitchedStructure(std::int32_t pid) {
  return gst_structure_new("framelock-worker", "event", G_TYPE_STRING, "switched", "pid",
                           G_TYPE_INT, pid, nullptr);
}

GstStructure* AudioStructure(std::chrono::milliseconds length) {
  return gst_structure_new("framelock-audio", "length", G_TYPE_INT,
                           static_cast<gint>(length.count()), nullptr);
}

GstStructure* LostStructure(const WorkerLost& lost) {
  return gst_structure_new("framelock-worker", "event", G_TYPE_STRING, "lost", "reason",
                           G_TYPE_STRING, host::LossReasonText(lost.reason), "detail",
                           G_TYPE_STRING, lost.detail.c_str(), "pid", G_TYPE_INT, lost.pid,
                           nullptr);
}

}  // namespace framelock::plugins
