// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {

/// A video PES packet may leave its length out, as ffmpeg's always do and all above 64 KiB must.
/// A demuxer then waits for the next one, a whole frame interval, before it gives the picture out.
/// This ends such a PES packet as soon as it is whole: an empty PES packet behind it tells the
/// demuxer so. A muxer fills up the transport packet that ends a PES packet, and no other: where
/// the stream has shown that it keeps to this, a filled-up packet is the end. A stream that breaks
/// it even once is never trusted again and waits as before, and so does a PES packet whose last
/// packet happens to be full. Not thread-safe.
class PesEnds {
 public:
  enum class Unit : std::uint8_t { kWhole, kTorn };

  /// The PID whose PES packets are ended; all packets pass unchanged before.
  void Watch(std::uint16_t pid);
  /// The packets to come do not follow those before.
  void Restart() { open_ = Open::kNone; }
  /// Appends the packet to `out`, and what ends its PES packet. kTorn: a PES packet that was ended
  /// goes on all the same; its picture was not whole.
  Unit Push(TsPacket packet, std::vector<std::uint8_t>& out);

 private:
  // PES packets in a row that were filled up at their end and nowhere else.
  static constexpr int kProofs = 2;
  enum class Open : std::uint8_t { kNone, kGoesOn, kFilledUp, kEnded };

  [[nodiscard]] bool trusted() const { return proofs_ >= kProofs && !broken_; }
  [[nodiscard]] bool Repeats(const TsPacket& packet) const;
  Unit OnPayload(const TsHeader& header);
  void AppendEnd(std::uint8_t continuity, std::vector<std::uint8_t>& out) const;

  std::optional<std::uint16_t> pid_;
  Open open_ = Open::kNone;  // a PES packet without a length
  int proofs_ = 0;
  bool broken_ = false;
  std::uint8_t added_ = 0;        // packets, as later continuity counters must show
  std::optional<TsPacket> last_;  // with a payload, as it came
};

}  // namespace framelock::stream
