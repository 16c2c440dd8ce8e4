// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/ts_cutter.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/ts_writer.h"

namespace framelock::relay {
namespace {

using test::TsWriter;

constexpr std::uint64_t kSecond = 90'000;

std::vector<std::byte> Bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Pushes a stream in pieces of the given size; returns whole segments.
std::vector<std::string> Cut(TsCutter& cutter, const std::string& stream, std::size_t step) {
  std::vector<std::string> segments;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    for (const auto& piece : cutter.Push(Bytes(stream.substr(at, step)))) {
      if (piece.starts_segment) segments.emplace_back();
      EXPECT_FALSE(segments.empty());
      EXPECT_EQ(piece.bytes.size() % kTsPacketBytes, 0u);
      segments.back() += piece.bytes;
    }
  }
  return segments;
}

std::vector<std::string> CutWhole(const std::string& stream,
                                  std::chrono::milliseconds least = std::chrono::seconds(1)) {
  TsCutter cutter({.min_segment_duration = least});
  return Cut(cutter, stream, stream.size());
}

TEST(TsCutter, CutsAtKeyframesWithTheirTables) {
  TsWriter ts;
  const std::string first = ts.Pat() + ts.Pmt() + ts.Key(0) + ts.More() + ts.Delta(3000);
  const std::string second = ts.Pat() + ts.Pmt() + ts.Key(kSecond) + ts.Delta(kSecond + 3000);
  const auto segments = CutWhole(first + second + "G");
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0], first);
  EXPECT_EQ(segments[1], second);
}

TEST(TsCutter, SameResultWhereverTheStreamIsSplit) {
  TsWriter ts;
  std::string stream;
  for (int gop = 0; gop < 3; ++gop) {
    stream += ts.Pat() + ts.Pmt() + ts.Key(gop * kSecond) + ts.More() + ts.Delta(gop * kSecond + 1);
  }
  stream += 'G';
  const auto expected = CutWhole(stream);
  ASSERT_EQ(expected.size(), 3u);
  for (std::size_t split = 1; split < 2 * kTsPacketBytes; ++split) {
    TsCutter stepping({});
    EXPECT_EQ(Cut(stepping, stream, split), expected) << "pieces of " << split;
  }
  for (std::size_t at = 1; at < stream.size(); ++at) {
    TsCutter cutter({});
    auto segments = Cut(cutter, stream.substr(0, at), at);
    for (const auto& piece : cutter.Push(Bytes(stream.substr(at)))) {
      if (piece.starts_segment) segments.emplace_back();
      segments.back() += piece.bytes;
    }
    EXPECT_EQ(segments, expected) << "split at " << at;
  }
}

TEST(TsCutter, RepeatsTablesTheMuxerSentOnce) {
  TsWriter ts;
  const std::string tables = ts.Pat() + ts.Pmt({TsWriter::kVideo}, 400);
  ASSERT_EQ(tables.size(), 4 * kTsPacketBytes);
  const std::string first = ts.Key(0) + ts.Delta(3000);
  const std::string second = ts.Key(kSecond) + ts.Delta(kSecond + 3000);
  const auto segments = CutWhole(tables + first + second + "G");
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0], tables + first);
  EXPECT_EQ(segments[1], tables + second);
}

TEST(TsCutter, TablesThatDoNotPrecedeAKeyframeStayWhereTheyWere) {
  TsWriter ts;
  const std::string stream =
      ts.Pat() + ts.Pmt() + ts.Key(0) + ts.Pat() + ts.Pmt() + ts.Delta(3000) + ts.More();
  const auto segments = CutWhole(stream + "G");
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0], stream);
}

TEST(TsCutter, ShortGroupsGoOnToTheMinimum) {
  TsWriter ts;
  std::string stream;
  for (int i = 0; i < 8; ++i) stream += ts.Pat() + ts.Pmt() + ts.Key(i * kSecond / 2);
  EXPECT_EQ(CutWhole(stream + "G").size(), 4u);
  EXPECT_EQ(CutWhole(stream + "G", std::chrono::milliseconds(0)).size(), 8u);
}

TEST(TsCutter, TimesThatWrapOrGoBackStillCut) {
  TsWriter ts;
  constexpr std::uint64_t kRange = std::uint64_t{1} << 33;
  std::string stream;
  for (const std::uint64_t pts : {kRange - 1000, kSecond, std::uint64_t{5}}) {
    stream += ts.Pat() + ts.Pmt() + ts.Key(pts);
  }
  EXPECT_EQ(CutWhole(stream + "G").size(), 3u);
}

TEST(TsCutter, NothingGoesOutBeforeTheFirstKeyframe) {
  TsWriter ts;
  const std::string early = ts.Delta(0) + ts.More() + ts.Pat() + ts.Delta(1) + ts.Pmt() + ts.More();
  const std::string rest = ts.Key(2) + ts.More();
  TsCutter cutter({});
  EXPECT_TRUE(cutter.Push(Bytes(early + "G")).empty());
  EXPECT_FALSE(cutter.started());
  EXPECT_GT(cutter.dropped_bytes(), 0u);
  const auto out = cutter.Push(Bytes(rest.substr(1) + "G"));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(out[0].starts_segment);
  EXPECT_EQ(out[0].bytes.size(), 4 * kTsPacketBytes);
}

TEST(TsCutter, FindsItsStepAgainBehindGarbage) {
  TsWriter ts;
  const std::string first = ts.Pat() + ts.Pmt() + ts.Key(0) + ts.More();
  const std::string second = ts.Pat() + ts.Pmt() + ts.Key(kSecond) + ts.More() + ts.More();
  const std::string garbage = "no packets G here" + std::string(100, 'G') + "!";
  TsCutter cutter({});
  const auto segments = Cut(cutter, garbage + first + garbage + second + "G", 50);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[1], second);
  EXPECT_NE(segments[0].find(first), std::string::npos);
}

TEST(TsCutter, WithoutVideoEachAudioUnitMayStartASegment) {
  TsWriter ts;
  std::string stream = ts.Pat() + ts.Pmt({TsWriter::kAudio});
  for (int i = 0; i < 4; ++i) stream += ts.Audio(i * kSecond / 2);
  EXPECT_EQ(CutWhole(stream + "G").size(), 2u);
}

TEST(TsCutter, VideoCountsWhereverItStandsInTheTable) {
  TsWriter ts;
  const std::string stream = ts.Pat() + ts.Pmt({TsWriter::kAudio, TsWriter::kVideo}) + ts.Audio(0) +
                             ts.Key(0) + ts.Audio(2 * kSecond) + ts.Key(3 * kSecond);
  EXPECT_EQ(CutWhole(stream + "G").size(), 2u);
}

TEST(TsCutter, RandomBytesComeToNothingAndMemoryStaysSmall) {
  std::mt19937 random(7);
  TsCutter cutter({});
  std::uint64_t total = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<std::byte> bytes(1 + random() % 5000);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    total += bytes.size();
    EXPECT_TRUE(cutter.Push(bytes).empty());
  }
  EXPECT_GT(cutter.dropped_bytes() + 2 * kTsPacketBytes, total);
}

TEST(TsCutter, BrokenTablesDoNoHarm) {
  TsWriter ts;
  std::mt19937 random(11);
  const std::string good = ts.Pat() + ts.Pmt() + ts.Key(0) + ts.More();
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int change = 0; change < 4; ++change) {
      bad[random() % (2 * kTsPacketBytes)] = static_cast<char>(random());
    }
    TsCutter cutter({});
    for (const auto& piece : cutter.Push(Bytes(bad + bad + "G"))) {
      EXPECT_EQ(piece.bytes.size() % kTsPacketBytes, 0u);
    }
  }
}

}  // namespace
}  // namespace framelock::relay
