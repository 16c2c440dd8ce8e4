// SPDX-License-Identifier: Apache-2.0
#include "plugins/segment_cutter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "plugins/byte_buffer.h"

namespace framelock::plugins {

bool IsTransportStream(std::string_view content_type) {
  static constexpr std::array<const gchar*, 2> kTypes = {"video/mp2t", "video/mpegts"};
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return std::any_of(kTypes.begin(), kTypes.end(), [&](const gchar* known) {
    return type.size() == std::string_view(known).size() &&
           g_ascii_strncasecmp(type.data(), known, type.size()) == 0;
  });
}

bool SegmentCutter::Push(GstBuffer* buffer, std::vector<Chunk>& out) {
  const MappedBytes map(buffer);
  if (!map.ok()) return false;
  std::vector<Chunk> chunks;
  if (payload_ == Payload::kTransportStream) {
    chunks = transport_stream_.Push(map.bytes());
  } else {
    chunks.push_back({.starts_segment = StartsSegment(buffer),
                      .bytes = {map.bytes().begin(), map.bytes().end()}});
  }
  for (Chunk& chunk : chunks) {
    if (chunk.starts_segment || out.empty()) {
      out.push_back(std::move(chunk));
    } else {
      out.back().bytes.insert(out.back().bytes.end(), chunk.bytes.begin(), chunk.bytes.end());
    }
  }
  return true;
}

bool SegmentCutter::StartsSegment(GstBuffer* buffer) {
  if (begun_ && GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)) return false;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const bool timed = GST_CLOCK_TIME_IS_VALID(pts);
  if (begun_ && timed && cut_pts_ && pts >= *cut_pts_ &&
      pts - *cut_pts_ < static_cast<GstClockTime>(min_segment_duration_.count())) {
    return false;
  }
  begun_ = true;
  cut_pts_.reset();
  if (timed) cut_pts_ = pts;
  return true;
}

}  // namespace framelock::plugins
