// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "plugins/ts_segmenter.h"

namespace framelock::plugins {

/// True for the MIME types of MPEG transport streams, in any case of letters.
bool IsTransportStream(std::string_view content_type);

/// Turns buffers into runs of bytes of which some begin a segment (or group): transport streams at
/// their access points (TsSegmenter), everything else at each buffer that is not a delta unit. For
/// one streaming thread.
class SegmentCutter {
 public:
  enum class Payload : std::uint8_t { kTransportStream, kOther };
  using Chunk = TsSegmenter::Chunk;

  SegmentCutter(Payload payload, std::chrono::nanoseconds min_segment_duration)
      : payload_(payload),
        min_segment_duration_(min_segment_duration),
        transport_stream_({.min_segment_duration = min_segment_duration}) {}

  [[nodiscard]] Payload payload() const { return payload_; }
  /// Appends to `out`, joining what belongs to one segment. False: the memory cannot be read.
  bool Push(GstBuffer* buffer, std::vector<Chunk>& out);
  /// True if bytes came but none were of use: no transport stream, or one without a keyframe.
  [[nodiscard]] bool found_nothing() const {
    return transport_stream_.stats().segments == 0 && skipped_packets() + skipped_bytes() > 0;
  }
  /// Packets before the first access point; 0 for other payloads.
  [[nodiscard]] std::uint64_t skipped_packets() const {
    return transport_stream_.stats().skipped_packets;
  }
  [[nodiscard]] std::uint64_t skipped_bytes() const { return transport_stream_.skipped_bytes(); }

 private:
  [[nodiscard]] bool StartsSegment(GstBuffer* buffer);

  const Payload payload_;
  const std::chrono::nanoseconds min_segment_duration_;
  TsSegmenter transport_stream_;
  bool begun_ = false;
  std::optional<GstClockTime> cut_pts_;
};

}  // namespace framelock::plugins
