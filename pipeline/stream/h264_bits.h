// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace framelock::stream {

/// Bits of an H.264 NAL unit's payload, without its emulation prevention bytes; nullopt behind the
/// end.
class H264Bits {
 public:
  explicit H264Bits(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::optional<std::uint32_t> Bit() {
    if (left_ == 0 && !NextByte()) return std::nullopt;
    --left_;
    return byte_ >> left_ & 1U;
  }
  std::optional<std::uint32_t> Byte() {
    std::uint32_t value = 0;
    for (int i = 0; i < 8; ++i) {
      const auto bit = Bit();
      if (!bit) return std::nullopt;
      value = value << 1 | *bit;
    }
    return value;
  }
  /// ue(v), H.264, 9.1.
  std::optional<std::uint32_t> Golomb() {
    std::uint32_t zeros = 0;
    for (auto bit = Bit(); !bit || *bit == 0; bit = Bit()) {
      if (!bit || ++zeros > kMaxGolombZeros) return std::nullopt;
    }
    std::uint32_t value = 1;
    for (; zeros > 0; --zeros) {
      const auto bit = Bit();
      if (!bit) return std::nullopt;
      value = value << 1 | *bit;
    }
    return value - 1;
  }
  /// se(v), H.264, 9.1.1.
  std::optional<std::int64_t> SignedGolomb() {
    const auto code = Golomb();
    if (!code) return std::nullopt;
    const std::int64_t half = (std::int64_t{*code} + 1) / 2;
    return *code % 2 == 1 ? half : -half;
  }

 private:
  static constexpr std::uint32_t kMaxGolombZeros = 31;

  bool NextByte() {
    if (zeros_ >= 2 && at_ < bytes_.size() && bytes_[at_] == 3) {
      zeros_ = 0;
      ++at_;
    }
    if (at_ >= bytes_.size()) return false;
    byte_ = bytes_[at_++];
    zeros_ = byte_ == 0 ? zeros_ + 1 : 0;
    left_ = 8;
    return true;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::uint32_t byte_ = 0;
  int left_ = 0, zeros_ = 0;
};

}  // namespace framelock::stream
