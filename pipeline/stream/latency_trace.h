// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/core/latency_window.h"
#include "pipeline/core/ts_stamps.h"

namespace framelock::stream {

/// Where a frame's time goes on its way through a stream, hop by hop, for --trace-latency:
///
///   its first packet arrives
///     │ receive  until its access unit is whole and leaves the demuxer
///     │ decode   until its picture leaves the decoder
///     │ convert  until it reaches workerfilter, cropped, scaled and in RGB
///     │ worker   until workerfilter gives it out
///     │ encode   until its access unit leaves the encoder
///     │ hold     until its time has come (cadence steady)
///     │ publish  until the muxer hands its first bytes to the sink
///
/// A frame is known by its running time. Frames that are dropped on the way do not count. Bounded;
/// thread-safe.
class LatencyTrace {
 public:
  using Time = std::chrono::nanoseconds;
  enum class Hop : std::uint8_t { kReceive, kDecode, kConvert, kWorker, kEncode, kHold, kPublish };
  static constexpr std::size_t kHops = 7;

  /// A PES packet begins in the input, its time stamp as the demuxer sees it.
  void OnPes(std::uint16_t pid, TsStamp pts, SteadyTime now);
  /// Its access unit left the demuxer; `unit` is the time that it has from there on.
  void OnUnit(std::uint16_t pid, Time unit, SteadyTime now);
  /// A frame is through the hop; not for kReceive.
  void OnFrame(Hop hop, Time frame, SteadyTime now);

  /// Calls OnFrame for each buffer on the pad. This must outlive the pad's last buffer.
  void Watch(GstPad* pad, Hop hop);

  /// {"receive":{"p50_ms":…,"p95_ms":…,"p99_ms":…},…,"total":{…}} over the last frames; {} before
  /// the first one.
  [[nodiscard]] nlohmann::json Figures() const;
  /// Figures that are not empty, on one line: "ms p50/p99: receive 0.4/1.1, …".
  [[nodiscard]] static std::string Line(const nlohmann::json& figures);

 private:
  static constexpr std::size_t kWindow = 512;    // frames that the percentiles are of
  static constexpr std::size_t kMaxFrames = 64;  // on their way
  struct Pes {
    std::uint16_t pid;
    TsStamp pts;
    SteadyTime begun;
  };
  struct Frame {
    SteadyTime begun;
    std::array<std::optional<SteadyTime>, kHops> reached;
  };

  void Count(const Frame& frame);

  mutable std::mutex mutex_;
  std::deque<Pes> pes_;
  std::optional<Time> offset_;  // a unit's time minus its PES packet's time stamp
  std::map<Time, Frame> frames_;
  std::array<LatencyWindow, kHops + 1> hops_;  // the last one: all together
};

}  // namespace framelock::stream
