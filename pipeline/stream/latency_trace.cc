// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/latency_trace.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/stream/running_time.h"

namespace framelock::stream {

namespace {

constexpr std::array<const char*, LatencyTrace::kHops + 1> kNames = {
    "receive", "decode", "convert", "worker", "encode", "hold", "publish", "total"};

double Milliseconds(std::chrono::nanoseconds time) {
  const auto hundredths = std::chrono::round<std::chrono::microseconds>(time).count() / 10;
  return static_cast<double>(hundredths) / 100;
}

LatencyTrace::Time TimeOf(TsStamp pts) {
  return std::chrono::duration_cast<LatencyTrace::Time>(
      TsTicks(static_cast<std::int64_t>(pts.ticks())));
}

struct Watched {
  LatencyTrace* trace;
  LatencyTrace::Hop hop;
};

GstPadProbeReturn OnBuffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  const auto* watched = static_cast<const Watched*>(data);
  const GstBuffer* buffer = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0
                                ? GST_PAD_PROBE_INFO_BUFFER(info)
                                : gst_buffer_list_get(GST_PAD_PROBE_INFO_BUFFER_LIST(info), 0);
  if (const auto time = RunningTime(pad, buffer)) {
    watched->trace->OnFrame(watched->hop, *time, Clock::System().Now());
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

void LatencyTrace::OnPes(std::uint16_t pid, TsStamp pts, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  pes_.push_back({pid, pts, now});
  if (pes_.size() > kMaxFrames) pes_.pop_front();
}

void LatencyTrace::OnUnit(std::uint16_t pid, Time unit, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(pes_, [&](const Pes& pes) { return pes.pid != pid; });
  const auto fits = [&](const Pes& pes) {
    return offset_ && std::chrono::abs(unit - TimeOf(pes.pts) - *offset_) < kSameFrame;
  };
  auto found = std::find_if(pes_.begin(), pes_.end(), fits);
  // The first one of all, or the stream's clock is another one now: they come in order.
  if (found == pes_.end()) found = pes_.begin();
  if (found == pes_.end()) return;
  offset_ = unit - TimeOf(found->pts);
  Frame& frame = frames_[unit];
  frame.begun = found->begun;
  frame.reached[0] = now;
  pes_.erase(pes_.begin(), std::next(found));
  if (frames_.size() > kMaxFrames) frames_.erase(frames_.begin());
}

void LatencyTrace::OnFrame(Hop hop, Time time, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = frames_.lower_bound(time - kSameFrame);
  if (found == frames_.end() || found->first > time + kSameFrame) return;
  auto& reached = found->second.reached[static_cast<std::size_t>(hop)];
  if (!reached) reached = now;
  if (hop != Hop::kPublish) return;
  Count(found->second);
  frames_.erase(frames_.begin(), std::next(found));
}

void LatencyTrace::Count(const Frame& frame) {
  SteadyTime before = frame.begun;
  for (std::size_t hop = 0; hop < kHops; ++hop) {
    if (!frame.reached[hop]) return;
    hops_[hop].Add(*frame.reached[hop] - before);
    before = *frame.reached[hop];
  }
  hops_[kHops].Add(before - frame.begun);
}

void LatencyTrace::Watch(GstPad* pad, Hop hop) {
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      OnBuffer, new Watched{this, hop}, [](gpointer data) { delete static_cast<Watched*>(data); });
}

nlohmann::json LatencyTrace::Figures() const {
  const std::lock_guard lock(mutex_);
  nlohmann::json figures = nlohmann::json::object();
  if (hops_[kHops].size() == 0) return figures;
  for (std::size_t hop = 0; hop < hops_.size(); ++hop) {
    figures[kNames[hop]] = {{"p50_ms", Milliseconds(hops_[hop].Percentile(50))},
                            {"p95_ms", Milliseconds(hops_[hop].Percentile(95))},
                            {"p99_ms", Milliseconds(hops_[hop].Percentile(99))}};
  }
  return figures;
}

std::string LatencyTrace::Line(const nlohmann::json& figures) {
  std::string line = "ms p50/p99:";
  for (const char* name : kNames) {
    const nlohmann::json& hop = figures[name];
    line += fmt::format("{} {} {:.2f}/{:.2f}", name == kNames[0] ? "" : ",", name,
                        hop["p50_ms"].get<double>(), hop["p99_ms"].get<double>());
  }
  return line;
}

}  // namespace framelock::stream
