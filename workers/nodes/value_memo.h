// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace framelock::nodes {

/// Remembers what an expensive function gave: pictures that were bytes have few different values.
/// One function; one thread.
class ValueMemo {
 public:
  /// To be called first, and when the function changes.
  template <typename Function>
  void Reset(Function function) {
    entries_.fill({0, function(0.0F)});  // 0 has the bits 0
  }

  template <typename Function>
  float Find(float value, Function function) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    Entry& entry = entries_[bits * 2654435769U >> (32 - kBits)];  // the golden ratio spreads them
    if (entry.bits != bits) {
      entry = {bits, function(value)};
    }
    return entry.result;
  }

 private:
  static constexpr int kBits = 12;
  struct Entry {
    std::uint32_t bits = 0;
    float result = 0;
  };
  std::array<Entry, std::size_t{1} << kBits> entries_{};
};

}  // namespace framelock::nodes
