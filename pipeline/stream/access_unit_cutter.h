// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "pipeline/stream/seam_trust.h"

namespace framelock::stream {

/// Cuts the H.264 byte stream (Annex B) that PES packets carry into access units. Most muxers put
/// one access unit into each PES packet, and then it is whole as soon as its PES packet is. This is
/// believed after some PES packets that held to it, and never again after one that did not: then an
/// access unit is whole when the next one begins. One much larger than those before it is not
/// believed either, since some muxers cut only those. Not thread-safe.
class AccessUnitCutter {
 public:
  /// An access unit above this many bytes goes on in parts.
  static constexpr std::size_t kMaxBytes = 8u << 20;
  /// Access units that one PES packet is cut into at most; the rest goes on as one.
  static constexpr std::size_t kMaxUnits = 64;
  static constexpr std::uint64_t kNoTime = std::numeric_limits<std::uint64_t>::max();

  /// Nanoseconds, or kNoTime. A PES packet's belong to the first access unit that begins in it.
  struct Times {
    std::uint64_t pts = kNoTime, dts = kNoTime;
  };
  struct Unit {
    std::vector<std::uint8_t> bytes;
    Times times;
  };
  enum class Pes : std::uint8_t {
    kKept,  // its bytes are in the units, or are to come
    kUnit,  // it is an access unit as it is, the one after `units`
    kTorn,  // as kKept; and the access unit before it, called whole, was not
  };
  struct Cut {
    Pes pes = Pes::kKept;
    std::vector<Unit> units;
  };

  Cut Push(std::span<const std::uint8_t> pes, Times times);
  /// The next PES packet begins an access unit: what is kept of a picture is whole now.
  std::vector<Unit> Next();
  /// Nothing follows on what is kept: it is whole now.
  std::vector<Unit> Finish();
  /// Bytes are missing, or another muxer's follow: forgets what is kept and leaves out what comes
  /// in front of the next beginning.
  void Clear();
  /// Another muxer's PES packets follow, or some are missing, but the last one is whole: so is what
  /// is kept, where that is to be believed.
  std::vector<Unit> Seam();

 private:
  static constexpr int kProofs = 3;
  // Muxers that give each PES packet a length cut a longer access unit at 65,535 bytes.
  static constexpr std::size_t kNearlyFull = 60'000, kFull = 65'600;
  static constexpr std::size_t kSmall = 8192;  // nobody splits an access unit below

  [[nodiscard]] bool trusted() const { return (kept_ || proofs_ >= kProofs) && !broken_; }
  [[nodiscard]] bool Usual(std::size_t bytes) const {
    return bytes <= std::max(kSmall, 2 * proven_bytes_);
  }
  void Gather(std::span<const std::uint8_t> pes, Times times, std::vector<Unit>& whole);
  void Release(std::vector<Unit>& whole);

  int proofs_ = 0;     // of this muxer
  bool kept_ = false;  // the trust of those before it
  SeamTrust seams_;
  bool broken_ = false;
  bool lost_ = true;                               // no beginning was seen yet
  bool called_whole_ = false;                      // the last PES packet
  bool may_go_on_ = false;                         // the last PES packet, in the next one
  std::size_t last_bytes_ = 0, proven_bytes_ = 0;  // of PES packets that were one unit
  Unit open_;                                      // may go on
  bool picture_ = false;                           // open_ holds part of one
  std::size_t scanned_ = 0;                        // bytes of open_
};

}  // namespace framelock::stream
