// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/ts_packet.h"

namespace framelock::relay {

/// One PSI table (PAT or PMT) as it comes by: its last complete section, and the packets that
/// carried it, ready to be sent again.
class PsiTable {
 public:
  /// Takes a packet of the table's PID; true if it completed a section.
  bool Feed(std::span<const std::byte> packet, std::span<const std::byte> payload, bool start);
  /// Empty until a section was complete.
  [[nodiscard]] std::span<const std::byte> section() const { return section_; }
  [[nodiscard]] const std::string& packets() const { return packets_; }

 private:
  std::vector<std::byte> section_;
  std::string packets_;
  std::vector<std::byte> growing_section_;
  std::string growing_packets_;
};

struct TsCutterOptions {
  // A segment shorter than this in media time goes on over the next random-access point.
  std::chrono::milliseconds min_segment_duration{1000};
};

/// Cuts an MPEG-TS byte stream, given in pieces of any size, into trickle segments: each begins
/// with PAT, PMT and a random-access point (random_access_indicator) of the video stream, so that a
/// reader can start with any of them. Without a video stream each PES start of the first stream is
/// one. Bytes in front of the first such point are dropped; so is garbage between packets, after
/// which it finds its step again. Remembers less than a few packets. One thread.
class TsCutter {
 public:
  explicit TsCutter(TsCutterOptions options) : options_(options) {}

  struct Piece {
    bool starts_segment = false;
    std::string bytes;  // whole packets
  };
  /// Takes bytes; returns what can go out now, in order.
  std::vector<Piece> Push(std::span<const std::byte> bytes);

  /// Bytes that went nowhere: garbage, and packets before the first random-access point.
  [[nodiscard]] std::uint64_t dropped_bytes() const { return dropped_bytes_; }
  [[nodiscard]] bool started() const { return started_; }

 private:
  using Pieces = std::vector<Piece>;
  struct Packet;

  bool TakePacket(std::size_t& at);
  void Handle(const Packet& packet, Pieces& out);
  bool HandleTable(const Packet& packet);
  void ReadPat();
  void ReadPmt();
  [[nodiscard]] bool IsRandomAccess(const Packet& packet) const;
  [[nodiscard]] bool IsDue(std::optional<std::uint64_t> pts) const;
  void Emit(std::span<const std::byte> bytes, Pieces& out);
  void ReleaseHeld(Pieces& out);

  const TsCutterOptions options_;
  std::vector<std::byte> pending_;  // less than a packet, or two while the step is lost
  bool in_step_ = false;
  PsiTable pat_;
  PsiTable pmt_;
  std::optional<std::uint16_t> pmt_pid_;
  std::optional<std::uint16_t> key_pid_;  // the stream whose random-access points count
  bool key_is_video_ = false;
  std::vector<std::byte> held_;  // PAT and PMT packets that may belong to the next segment
  std::optional<std::uint64_t> segment_pts_;
  bool started_ = false;
  std::uint64_t dropped_bytes_ = 0;
};

}  // namespace framelock::relay
