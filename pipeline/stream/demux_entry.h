// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "pipeline/core/clock.h"
#include "pipeline/stream/audio_lanes.h"
#include "pipeline/stream/demux_feed.h"
#include "pipeline/stream/latency_trace.h"

namespace framelock::stream {

/// The way of a channel's bytes into the demuxer: DemuxFeed and AudioLanes on GStreamer's buffers,
/// cut where something of the video is missing. On the source's streaming thread.
class DemuxEntry {
 public:
  struct Options {
    /// Before the demuxer gets what lies behind a hole.
    std::function<void()> on_hole;
    /// Before it gets the next packets, the PID that the audio has from there on.
    std::function<void(std::optional<std::uint16_t> pid)> on_audio;
    LatencyTrace* trace = nullptr;          // borrowed; none: nothing is traced
    const Clock* clock = &Clock::System();  // borrowed
  };

  explicit DemuxEntry(Options options) : options_(std::move(options)) {}

  /// The PID of the video, once it is known.
  void Watch(std::uint16_t pid, PesEnds::Marks marks) {
    feed_.Watch(pid, marks);
    watches_ = true;
  }
  /// For the buffer in the hands of a probe on the source's pad.
  GstPadProbeReturn OnBuffer(GstPad* pad, GstPadProbeInfo* info);
  /// Of the input's clock, counted from 1.
  [[nodiscard]] std::uint64_t epochs() const { return feed_.epochs(); }

 private:
  GstBuffer* MakeBuffer(GstBuffer* like, std::span<const std::uint8_t> whole_packets);
  void Trace(std::span<const std::uint8_t> packets) const;

  const Options options_;
  DemuxFeed feed_;
  AudioLanes lanes_;
  bool watches_ = false;
};

}  // namespace framelock::stream
