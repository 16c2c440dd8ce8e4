// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/core/ts_packet.h"
#include "pipeline/stream/seam_trust.h"

namespace framelock::stream {

/// A video PES packet may leave its length out, as ffmpeg's always do and all above 64 KiB must.
/// A demuxer then waits for the next one, a whole frame interval, before it gives the picture out.
/// This ends such a PES packet as soon as it is whole: an empty PES packet behind it tells the
/// demuxer so. Muxers fill up the transport packet that ends a PES packet, and most of them no
/// other: where the stream has shown that it keeps to this, a filled-up packet is the end. A stream
/// that breaks it even once is never trusted again and waits as before, and so does a PES packet
/// whose last packet happens to be full. Some, as mpegtsmux, cannot fill up by a single byte, and
/// make a packet two bytes short in the middle where 183 are left: so few bytes mean an end only
/// where the stream has shown that it can, and where a length could have been written, as mpegtsmux
/// does then. Not thread-safe.
///
/// Where packets are missing the demuxer would give out the open PES packet as if it were whole, or
/// drop it and tell nobody. It sees none missing here, but a PES packet of its own that marks the
/// place for whoever takes the units; the rest of the torn one is left out. A PES packet that is
/// shorter than its length says is torn too: continuity counters fit by chance once in sixteen
/// times. Where the counters jump behind a picture that is whole there is a seam: often another
/// muxer's first packet, since many publishers start one for each segment. Such a picture is not
/// lost, unless its end shows nowhere: no length, and its last packet is full.
///
/// Whoever takes the units has a PES packet only when it has ended. So that an access unit whose
/// muxer is not trusted yet need not wait for the next one's end, too, a mark tells where that one
/// begins.
class PesEnds {
 public:
  enum class Unit : std::uint8_t { kWhole, kTorn };
  /// What stands for a hole among a stream's units.
  enum class Marks : std::uint8_t {
    kUnit,  // kHoleMark in a PES packet
    kNone,  // a packet whose continuity counter certainly jumps: the demuxer drops the torn one
  };
  /// A NAL unit of a type that H.264 leaves to others, so no decoder minds it.
  using Mark = std::array<std::uint8_t, 8>;
  /// Packets are missing: what comes before may be torn.
  static constexpr Mark kHoleMark = {0, 0, 1, 0x1F, 'h', 'o', 'l', 'e'};
  /// What comes before is whole.
  static constexpr Mark kSeamMark = {0, 0, 1, 0x1F, 's', 'e', 'a', 'm'};
  /// What comes next begins an access unit.
  static constexpr Mark kNextMark = {0, 0, 1, 0x1F, 'n', 'e', 'x', 't'};

  /// The PID whose PES packets are ended; all packets pass unchanged before.
  void Watch(std::uint16_t pid, Marks marks);
  /// Appends what stands for a hole. The packets to come do not follow those before, and may be
  /// another muxer's.
  void MarkHole(std::vector<std::uint8_t>& out);
  /// Where the continuity counter jumps in front of `next`, appends what stands for the hole, or
  /// for the seam (kWhole).
  Unit MarkJump(const TsPacket& next, std::vector<std::uint8_t>& out);
  /// Appends the packet to `out`, and what ends its PES packet. kTorn: a PES packet that was ended
  /// goes on all the same, or one has not come to its end; this is a hole, and what belongs to no
  /// PES packet is left out.
  Unit Push(TsPacket packet, std::vector<std::uint8_t>& out);

 private:
  enum class Open : std::uint8_t { kNone, kGoesOn, kFilledUp, kEnded };
  enum class Filling : std::uint8_t { kNone, kBarely, kClearly };
  static constexpr int kProofs = 2;
  // That the stream keeps to a rule: that its packets are filled up so at the end of PES packets
  // and nowhere else, or that lengths are right.
  struct Evidence {
    int proofs = 0;       // of this muxer
    bool kept = false;    // the trust of those before it
    bool proven = false;  // once at least, since the last hole
    bool earned_once = false;
    bool broken = false;
    void Prove(int by = 1) {
      proofs = std::min(proofs + by, kProofs);
      proven = true;
      earned_once = earned_once || proofs >= kProofs;
    }
    void Renew(bool keep) {
      kept = keep && trusted();
      proofs = 0;
    }
    void Forget() {
      Renew(false);
      proven = false;
    }
    [[nodiscard]] bool earned() const { return proofs >= kProofs && !broken; }
    [[nodiscard]] bool trusted() const { return (kept || proofs >= kProofs) && !broken; }
  };
  static constexpr std::size_t kLengthPossible = 60'000;  // bytes of a PES packet; below 64 KiB

  static Filling FillingOf(const TsPacket& packet);
  [[nodiscard]] bool trusted() const {
    return clearly_.trusted() && (filling_ == Filling::kClearly || barely_.trusted());
  }
  [[nodiscard]] Evidence& evidence() { return filling_ == Filling::kBarely ? barely_ : clearly_; }
  [[nodiscard]] bool whole() const;
  Unit EndPes();
  void Prove();
  bool OnPayload(const TsHeader& header);
  void Append(TsPacket packet, std::vector<std::uint8_t>& out);
  void AppendPes(std::span<const std::uint8_t> pes, std::vector<std::uint8_t>& out);

  std::optional<std::uint16_t> pid_;
  Marks marks_ = Marks::kNone;
  std::size_t bytes_ = 0;             // of the PES packet so far
  std::size_t whole_ = 0;             // as its header says; 0: it does not
  Open open_ = Open::kNone;           // one without a length
  Filling filling_ = Filling::kNone;  // of its end, or what was taken for it
  bool by_one_ = false;               // by a single byte
  Evidence clearly_, barely_, lengths_;
  SeamTrust seams_;
  bool leave_out_ = false;            // up to the next PES packet
  std::optional<std::uint8_t> sent_;  // continuity counter
};

}  // namespace framelock::stream
