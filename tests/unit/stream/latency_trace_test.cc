// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/latency_trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using Hop = LatencyTrace::Hop;

constexpr std::uint16_t kPid = 65;

/// Frames at 30 fps whose hops take 1, 2, 3 … ms.
class LatencyTraceTest : public testing::Test {
 protected:
  static SteadyTime At(int frame, int ms) {
    return SteadyTime(std::chrono::nanoseconds(frame * 1'000'000'000LL / 30) + milliseconds(ms));
  }
  static TsStamp Pts(int frame) {
    return TsStamp(first_pts + static_cast<std::uint64_t>(frame) * 3000);
  }
  static LatencyTrace::Time Time(int frame) {
    return std::chrono::nanoseconds(125'000'000 + frame * 1'000'000'000LL / 30);
  }
  void Begin(int frame, int ms = 0) { trace.OnPes(kPid, Pts(frame), At(frame, ms)); }
  void Finish(int frame) {
    trace.OnUnit(kPid, Time(frame), At(frame, 1));
    trace.OnFrame(Hop::kDecode, Time(frame), At(frame, 3));
    trace.OnFrame(Hop::kConvert, Time(frame), At(frame, 6));
    trace.OnFrame(Hop::kWorker, Time(frame), At(frame, 10));
    trace.OnFrame(Hop::kEncode, Time(frame) + std::chrono::nanoseconds(5556), At(frame, 15));
    trace.OnFrame(Hop::kHold, Time(frame), At(frame, 21));
    trace.OnFrame(Hop::kPublish, Time(frame), At(frame, 28));
  }
  void Pass(int frame) {
    Begin(frame);
    Finish(frame);
  }
  double P50(const char* hop) const { return trace.Figures()[hop]["p50_ms"].get<double>(); }

  static inline std::uint64_t first_pts = 324'000'000;
  LatencyTrace trace;
};

TEST_F(LatencyTraceTest, SaysWhatEachHopTakes) {
  for (int frame = 0; frame < 10; ++frame) Pass(frame);
  EXPECT_EQ(P50("receive"), 1);
  EXPECT_EQ(P50("decode"), 2);
  EXPECT_EQ(P50("convert"), 3);
  EXPECT_EQ(P50("worker"), 4);
  EXPECT_EQ(P50("encode"), 5);
  EXPECT_EQ(P50("hold"), 6);
  EXPECT_EQ(P50("publish"), 7);
  EXPECT_EQ(P50("total"), 28);
  EXPECT_EQ(LatencyTrace::Line(trace.Figures()).find("ms p50/p99: receive 1.00/1.00, decode 2.00"),
            0U);
}

TEST_F(LatencyTraceTest, AUnitThatWaitsForTheNextPesIsStillTimedFromItsOwn) {
  Begin(0);
  for (int frame = 0; frame < 10; ++frame) {
    Begin(frame + 1, -32);  // just before the unit in front of it comes out
    Finish(frame);
  }
  EXPECT_EQ(P50("receive"), 33);
}

TEST_F(LatencyTraceTest, DroppedFramesAndOtherStreamsDoNotCount) {
  for (int frame = 0; frame < 20; ++frame) {
    trace.OnPes(kPid + 1, TsStamp(77), At(frame, 0));
    Begin(frame);
    if (frame % 2 == 0)
      Finish(frame);
    else
      trace.OnUnit(kPid, Time(frame), At(frame, 1));
  }
  EXPECT_EQ(P50("total"), 28);
}

TEST_F(LatencyTraceTest, TheInputsClockMayChange) {
  for (int frame = 0; frame < 5; ++frame) Pass(frame);
  first_pts = 5;
  for (int frame = 5; frame < 15; ++frame) Pass(frame);
  first_pts = 324'000'000;
  EXPECT_EQ(P50("total"), 28);
}

TEST_F(LatencyTraceTest, NothingIsKeptForEver) {
  for (int frame = 0; frame < 1000; ++frame) {
    Begin(frame);
    trace.OnUnit(kPid, Time(frame), At(frame, 1));
  }
  trace.OnFrame(Hop::kPublish, Time(0), At(0, 9));
  EXPECT_TRUE(trace.Figures().empty());  // forgotten
  Finish(999);
  EXPECT_EQ(P50("total"), 28);
}

}  // namespace
}  // namespace framelock::stream
