// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace framelock::trickle {

/// The bytes of one segment on their way out, kept so that they can be sent again until somebody
/// discards a beginning that need not be. Memory grows in blocks with what is held. Not
/// thread-safe.
class SegmentBuffer {
 public:
  void Append(std::span<const std::byte> bytes);
  /// Copies what there is from `offset` on, which must not lie before begin(); returns how much.
  std::size_t Read(std::uint64_t offset, std::span<std::byte> room) const;
  /// Gives up whole blocks before `offset`.
  void DiscardBefore(std::uint64_t offset);

  [[nodiscard]] std::uint64_t begin() const { return begin_; }  // first offset still held
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::size_t held_bytes() const { return blocks_.size() * kBlockBytes; }

 private:
  static constexpr std::size_t kBlockBytes = 16 * 1024;

  std::deque<std::unique_ptr<std::byte[]>> blocks_;
  std::uint64_t begin_ = 0;  // a multiple of kBlockBytes
  std::uint64_t end_ = 0;
};

}  // namespace framelock::trickle
