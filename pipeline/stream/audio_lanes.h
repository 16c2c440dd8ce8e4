// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {

/// Shows the demuxer a programme whose audio never comes, goes or changes: one lane for each codec,
/// always there, and the packets of the input's first audio track moved into the lane of theirs.
/// tsdemux would answer each change of the programme's map by new pads for everything, and the
/// video would wait for its next keyframe.
///
///   input's map     video 0x41, AAC 0x42, AAC 0x43     later: video 0x41
///   demuxer's map   video 0x41, AAC 0x1fe0, LATM 0x1fe1, MPEG audio 0x1fe2 …    always
///
/// The lanes lie where the map has no video and no clock. Left as it is: a map without video, or of
/// more than a packet, or damaged, or not yet valid. Not thread-safe.
class AudioLanes {
 public:
  /// Whole packets, one behind the other; what is not for the demuxer is taken out.
  void Rewrite(std::vector<std::uint8_t>& packets);
  /// The lane that is in use.
  [[nodiscard]] std::optional<std::uint16_t> lane() const { return lane_; }

 private:
  enum class Use : std::uint8_t { kYes, kNo };
  struct Entry {
    std::uint8_t type;
    std::uint16_t pid;
    std::span<const std::uint8_t> bytes;  // the whole of it, descriptors too
  };
  using Section = std::span<const std::uint8_t>;

  Use Rewrite(TsPacket& packet);
  void FollowAssociations(Section section);
  void RewriteMap(TsPacket& packet, Section section);
  void LeaveMap();
  void PlaceLanes(Section section, const std::vector<Entry>& entries);
  void FollowAudio(const std::vector<Entry>& entries);
  static std::vector<Entry> EntriesOf(Section section);
  [[nodiscard]] std::optional<std::uint16_t> LaneFor(const Entry& entry) const;

  std::optional<std::uint16_t> map_pid_;     // of the first programme
  std::optional<std::uint16_t> first_lane_;  // its PID; unset: the map is left as it is
  std::optional<std::uint16_t> audio_pid_;   // the input's
  std::optional<std::uint16_t> lane_;
  bool told_ = false;  // that a map has no room
};

}  // namespace framelock::stream
