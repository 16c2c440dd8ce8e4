// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/coded_size.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "pipeline/stream/h264_nal.h"

namespace framelock::stream {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Writes a sequence parameter set, with its emulation prevention bytes.
class ParameterWriter {
 public:
  ParameterWriter& Bits(std::uint64_t value, int count) {
    while (count > 0) bits_.push_back(value >> --count & 1U);
    return *this;
  }
  ParameterWriter& Golomb(std::uint64_t value) {
    int length = 0;
    while (((value + 1) >> length) > 1) ++length;
    return Bits(0, length).Bits(value + 1, length + 1);
  }
  [[nodiscard]] Bytes Payload() const {
    std::vector<bool> bits = bits_;
    bits.push_back(true);  // rbsp_trailing_bits
    bits.resize((bits.size() + 7) / 8 * 8);
    Bytes bytes;
    int zeros = 0;
    for (std::size_t i = 0; i < bits.size(); i += 8) {
      std::uint8_t byte = 0;
      for (std::size_t k = 0; k < 8; ++k) byte = static_cast<std::uint8_t>(byte << 1 | bits[i + k]);
      if (zeros >= 2 && byte <= 3) {
        bytes.push_back(3);
        zeros = 0;
      }
      bytes.push_back(byte);
      zeros = byte == 0 ? zeros + 1 : 0;
    }
    return bytes;
  }

 private:
  std::vector<bool> bits_;
};

enum class Scan : std::uint8_t { kFields = 0, kFrames = 1 };

// From the number of reference frames on: size in macroblocks, cropped to 64x64.
Bytes Finish(ParameterWriter& writer, int columns, int rows, Scan scan = Scan::kFrames) {
  writer.Golomb(4).Bits(0, 1);
  writer.Golomb(static_cast<std::uint64_t>(columns - 1))
      .Golomb(static_cast<std::uint64_t>(rows - 1));
  writer.Bits(static_cast<std::uint64_t>(scan), 1);
  if (scan == Scan::kFields) writer.Bits(0, 1);
  writer.Bits(1, 1).Bits(1, 1).Golomb(0);
  writer.Golomb(static_cast<std::uint64_t>(columns * 8 - 32)).Golomb(0);
  writer.Golomb(static_cast<std::uint64_t>(rows * 8 - 32)).Bits(0, 1);
  return writer.Payload();
}

ParameterWriter Baseline() {
  return ParameterWriter().Bits(66, 8).Bits(0, 8).Bits(51, 8).Golomb(0);
}
Bytes Plain(int columns, int rows, Scan scan = Scan::kFrames) {
  ParameterWriter writer = Baseline().Golomb(0).Golomb(0).Golomb(2);
  return Finish(writer, columns, rows, scan);
}

void ExpectSize(const Bytes& parameters, int width, int height) {
  const auto size = CodedSize::Of(parameters);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->width, width);
  EXPECT_EQ(size->height, height);
}

TEST(CodedSize, IsTheOneBeforeCropping) {
  ExpectSize(Plain(1000, 1000), 16'000, 16'000);
  ExpectSize(Plain(120, 68), 1920, 1088);
  ExpectSize(Plain(120, 34, Scan::kFields), 1920, 1088);
  ExpectSize(Plain(1 << 16, 1 << 16), 1 << 20, 1 << 20);  // with bytes against emulation
}

TEST(CodedSize, ReadsEveryKindOfPictureOrder) {
  ParameterWriter two = Baseline().Golomb(9).Golomb(2);
  ExpectSize(Finish(two, 40, 30), 640, 480);
  ParameterWriter one = Baseline().Golomb(9).Golomb(1).Bits(0, 1).Golomb(5).Golomb(6);
  one.Golomb(3).Golomb(1).Golomb(4'000'000'000).Golomb(70'000);
  ExpectSize(Finish(one, 40, 30), 640, 480);
}

TEST(CodedSize, ReadsScalingListsAndChroma) {
  for (const int format : {1, 3}) {
    ParameterWriter high = ParameterWriter().Bits(100, 8).Bits(0, 16).Golomb(0);
    high.Golomb(static_cast<std::uint64_t>(format));
    if (format == 3) high.Bits(0, 1);
    high.Golomb(0).Golomb(0).Bits(0, 1).Bits(1, 1);
    for (int list = 0; list < (format == 3 ? 12 : 8); ++list) {
      high.Bits(list % 2, 1);
      if (list % 2 == 0) continue;
      if (list == 1) {
        high.Golomb(16);  // -8: as the default
      } else {
        for (int i = 0; i < (list < 6 ? 16 : 64); ++i) high.Golomb(1);
      }
    }
    high.Golomb(0).Golomb(2);
    ExpectSize(Finish(high, 40, 30), 640, 480);
  }
}

TEST(CodedSize, FillingUpMacroblocksIsNoLargerPicture) {
  EXPECT_LE(CodedSize::Of(Plain(120, 68))->least_pixels(), 1920 * 1080);
  EXPECT_LE(CodedSize::Of(Plain(120, 34, Scan::kFields))->least_pixels(), 1920 * 1080);
  EXPECT_LE(CodedSize::Of(Plain(2, 2))->least_pixels(), 17 * 17);
  EXPECT_GT(CodedSize::Of(Plain(1000, 1000))->least_pixels(), 15'900 * 15'900);
}

TEST(CodedSize, OneThatEndsTooEarlyTellsNothing) {
  const Bytes whole = Plain(1000, 1000);
  EXPECT_FALSE(CodedSize::Of({}));
  for (std::size_t size = 0; size < 9; ++size) {
    EXPECT_FALSE(CodedSize::Of(std::span(whole).first(size))) << size;
  }
}

TEST(CodedSize, TakesAnyBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(random() % 40);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty() && round % 2 == 0) bytes[0] = 100;
    if (const auto size = CodedSize::Of(bytes)) {
      EXPECT_GT(size->least_pixels(), 0);
    }
  }
}

Bytes Nal(std::uint8_t type, const Bytes& body) {
  Bytes nal{0, 0, 0, 1, type};
  nal.insert(nal.end(), body.begin(), body.end());
  return nal;
}
Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
const Bytes kIdr = Nal(5, {0b1000'1000, 0x80, 0x55});

TEST(EntryOf, BringsTheLargestSizeOfTheUnit) {
  const Bytes large = Nal(7, Plain(1000, 1000));
  const Bytes small = Nal(7, Plain(4, 4));
  for (const Bytes& unit : {large + kIdr, small + large + kIdr, large + small + kIdr,
                            small + kIdr + large, small + large}) {
    const H264Entry entry = EntryOf(unit);
    ASSERT_TRUE(entry.size);
    EXPECT_EQ(entry.size->width, 16'000);
    EXPECT_FALSE(entry.damaged);
  }
  EXPECT_FALSE(EntryOf(kIdr).size);
}

TEST(EntryOf, TellsOfADamagedSize) {
  const H264Entry entry = EntryOf(Nal(7, {66, 0, 51}) + kIdr);
  EXPECT_FALSE(entry.size);
  EXPECT_TRUE(entry.damaged);
}

}  // namespace
}  // namespace framelock::stream
