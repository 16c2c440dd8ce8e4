// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/core/ts_packet.h"

namespace framelock::plugins {

/// Cuts an MPEG transport stream at its access points, so that every segment can be decoded alone:
/// it begins with PAT, PMT and a keyframe, whatever the muxer's own table interval is. Access
/// points are packets of the first video stream that carry the random-access flag or the beginning
/// of an IDR picture; a programme without video may be cut at any PES packet, once a second.
/// What comes before the first access point is dropped, and counted. Bounded. Not thread-safe.
class TsSegmenter {
 public:
  struct Options {
    std::chrono::nanoseconds min_segment_duration{0};  // by the stream's own timestamps
  };
  struct Chunk {
    bool starts_segment = false;
    std::vector<std::byte> bytes;
  };
  struct Stats {
    std::uint64_t segments = 0;         // begun
    std::uint64_t skipped_packets = 0;  // before the first access point
  };

  explicit TsSegmenter(Options options) : options_(options) {}

  /// Whole packets go through at once; a part of one waits for its rest. At most one chunk does
  /// not start a segment, and that is the first.
  std::vector<Chunk> Push(std::span<const std::byte> bytes);

  [[nodiscard]] const Stats& stats() const { return stats_; }
  /// Bytes between packets: this was no transport stream, or sync was lost.
  [[nodiscard]] std::uint64_t skipped_bytes() const { return reader_.skipped_bytes(); }

 private:
  using Packet = TsPacket;
  struct Table {
    std::vector<Packet> arriving;  // packets of the section being received
    std::vector<Packet> complete;  // the last whole one: replayed at a cut
    std::uint8_t continuity = 0;   // of the next packet we write
  };
  static constexpr std::size_t kMaxTablePackets = 8;  // a section has at most 1024 bytes
  static constexpr std::size_t kMaxProgrammes = 16;

  void OnPacket(const Packet& packet, std::vector<Chunk>& out);
  void OnTablePacket(std::uint16_t pid, const Packet& packet);
  void ParseAssociations(std::span<const std::uint8_t> section);
  void ParseMap(std::span<const std::uint8_t> section);
  [[nodiscard]] bool IsAccessPoint(std::uint16_t pid, const Packet& packet) const;
  [[nodiscard]] bool MayCut(const Packet& packet);
  void BeginSegment(std::vector<Chunk>& out);
  void WriteTable(Table& table, Packet packet, std::vector<Chunk>& out);
  static void Write(const Packet& packet, std::vector<Chunk>& out);

  Options options_;
  TsPacketReader reader_;
  std::map<std::uint16_t, Table> tables_;               // by PID: 0 is the PAT, the others are PMTs
  std::vector<std::pair<std::uint16_t, Packet>> held_;  // table packets that a cut may replace
  std::optional<std::uint16_t> map_pid_;                // the PMT of the first programme
  std::optional<std::uint16_t> access_pid_;             // the stream whose access points cut
  std::uint8_t access_type_ = 0;                        // its stream type
  bool access_is_video_ = false;
  bool begun_ = false;
  std::optional<std::uint64_t> cut_pts_;  // 90 kHz, of the last cut
  Stats stats_;
};

}  // namespace framelock::plugins
