// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace framelock::stream {

/// Cuts the H.264 byte stream (Annex B) that PES packets carry into access units. Most muxers put
/// one access unit into each PES packet, and then it is whole as soon as its PES packet is. This is
/// believed after some PES packets that held to it, and never again after one that did not: then an
/// access unit is whole when the next one begins. Not thread-safe.
class AccessUnitCutter {
 public:
  /// An access unit above this many bytes goes on in parts.
  static constexpr std::size_t kMaxBytes = 8u << 20;
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
  /// Nothing follows on what is kept: it is whole now.
  std::vector<Unit> Finish();
  /// Forgets what is kept: what follows does not belong to it.
  void Clear();

 private:
  static constexpr int kProofs = 3;
  // Muxers that give each PES packet a length cut a longer access unit at 65,535 bytes.
  static constexpr std::size_t kNearlyFull = 60'000, kFull = 65'600;

  [[nodiscard]] bool trusted() const { return proofs_ >= kProofs && !broken_; }
  void Gather(std::span<const std::uint8_t> pes, Times times, std::vector<Unit>& whole);
  void Release(std::size_t size, std::vector<Unit>& whole);

  int proofs_ = 0;
  bool broken_ = false;
  bool called_whole_ = false;  // the last PES packet
  bool may_go_on_ = false;     // the last PES packet, in the next one
  Unit open_;                  // may go on
  bool picture_ = false;       // open_ holds part of one
  std::size_t scanned_ = 0;    // bytes of open_
};

}  // namespace framelock::stream
