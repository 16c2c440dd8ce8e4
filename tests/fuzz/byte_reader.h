// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace framelock::fuzz {

// Turns a fuzzer's bytes into decisions. Past the end everything is zero.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  // 0 .. bound - 1
  int Below(int bound) {
    const int number = bound > 256 ? Byte() << 8 | Byte() : Byte();
    return number % bound;
  }

  bool Chance(int one_in) { return Below(one_in) == one_in - 1; }

  std::span<const std::byte> Bytes(int count) {
    const auto taken = bytes_.first(std::min<std::size_t>(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return std::as_bytes(taken);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace framelock::fuzz
