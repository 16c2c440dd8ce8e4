// SPDX-License-Identifier: Apache-2.0
#include "plugins/audio_pieces.h"

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <string>
#include <vector>

namespace framelock::plugins {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Samples = std::vector<std::int16_t>;

constexpr std::uint32_t kRate = 8000;  // 8 samples a millisecond

class AudioPiecesTest : public testing::Test {
 protected:
  void Start(milliseconds length) {
    pieces.SetLength(length, now);
    pieces.SetReady(true);
  }
  // The next `ms` of a rising sequence.
  void Push(int ms) { Push(ms, at); }
  void Push(int ms, milliseconds when) {
    Samples samples(static_cast<std::size_t>(ms) * 8);
    std::iota(samples.begin(), samples.end(), next);
    next = static_cast<std::int16_t>(next + samples.size());
    pieces.Push(samples, kRate, when, now);
    at = when + milliseconds(ms);
  }
  // Submits all that may be; their numbers and lengths.
  std::string Submit() {
    std::string submitted;
    while (const auto* piece = pieces.NextToSubmit(now)) {
      submitted +=
          std::to_string(piece->sequence) + ":" + std::to_string(piece->samples.size()) + " ";
      pieces.Submitted(now);
    }
    return submitted;
  }
  // All that leaves: its time and its first sample, or "event".
  std::string Take() {
    std::string taken;
    while (const auto output = pieces.Take(now)) {
      taken += output->event ? "event "
                             : std::to_string(*output->pts / milliseconds(1)) + "=" +
                                   std::to_string(output->samples[0]) + "x" +
                                   std::to_string(output->samples.size()) + " ";
    }
    return taken;
  }
  static Cargo Event() {
    return Cargo(new int(0), [](void* event) { delete static_cast<int*>(event); });
  }

  AudioPieces pieces{{.patience = milliseconds(500), .max_samples = 800, .max_events = 3}};
  SteadyTime now{std::chrono::seconds(100)};
  milliseconds at{1000};
  std::int16_t next = 0;
};

TEST_F(AudioPiecesTest, WithoutAGraphThatWantsItAllPassesAtOnce) {
  pieces.SetReady(true);
  Push(5);
  EXPECT_EQ(Submit(), "");
  EXPECT_EQ(Take(), "1000=0x40 ");
  Push(5);
  EXPECT_EQ(Take(), "1005=40x40 ");
  EXPECT_EQ(pieces.counts().passed_through, 0U) << "it is nobody's";
}

TEST_F(AudioPiecesTest, PiecesAreAsLongAsTheGraphWantsThem) {
  Start(milliseconds(10));
  Push(7);
  EXPECT_EQ(Submit(), "");
  Push(7);
  EXPECT_EQ(Submit(), "1:80 ");
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(pieces.NextDeadline(), now + milliseconds(500));
  pieces.Complete(1, Samples(80, 7), now);
  EXPECT_EQ(Take(), "1000=7x80 ");
  Push(26);
  EXPECT_EQ(Submit(), "2:80 3:80 ");
  pieces.Complete(2, Samples(80, 8), now);
  EXPECT_EQ(Submit(), "4:80 ");
  EXPECT_EQ(Take(), "1010=8x80 ");
  EXPECT_EQ(pieces.counts().processed, 2U);
}

TEST_F(AudioPiecesTest, TheyLeaveInTheirOrder) {
  Start(milliseconds(10));
  Push(20);
  EXPECT_EQ(Submit(), "1:80 2:80 ");
  pieces.Complete(2, Samples(80, 8), now);
  EXPECT_EQ(Take(), "");
  pieces.Complete(1, Samples(80, 7), now);
  EXPECT_EQ(Take(), "1000=7x80 1010=8x80 ");
}

TEST_F(AudioPiecesTest, WhatHasNoAnswerLeavesAsItCameIn) {
  Start(milliseconds(10));
  Push(30);
  EXPECT_EQ(Submit(), "1:80 2:80 ");
  pieces.Complete(1, {}, now);  // it failed, or the graph gives none
  EXPECT_EQ(Take(), "1000=0x80 ");
  now += milliseconds(400);
  Push(10);
  EXPECT_EQ(Take(), "");
  // Too late, whether the worker had it or not.
  now += milliseconds(100);
  EXPECT_EQ(Take(), "1010=80x80 1020=160x80 ");
  EXPECT_EQ(Submit(), "4:80 ") << "the worker still has the second one, and may have two";
  Push(10);
  EXPECT_EQ(Submit(), "");
  pieces.Complete(2, Samples(80, 8), now);
  EXPECT_EQ(Submit(), "") << "by what that took it would be too late behind the fourth";
  pieces.LoseWorker();
  EXPECT_EQ(Take(), "1030=240x80 ");
  EXPECT_EQ(Submit(), "5:80 ") << "another worker may be faster";
  pieces.LoseWorker();
  EXPECT_EQ(Take(), "1040=320x80 ");
  pieces.Complete(4, Samples(80, 8), now);
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(pieces.counts().passed_through, 5U);
  EXPECT_EQ(pieces.counts().processed, 0U);
}

// One piece after the other takes so long, and comes so often; how many are made in 100 s.
std::uint64_t MadeBySlowWorker(milliseconds service, milliseconds length) {
  SteadyTime now{std::chrono::seconds(100)};
  AudioPieces slow{{.patience = milliseconds(2000)}};
  slow.SetLength(length, now);
  slow.SetReady(true);
  const auto samples = static_cast<std::size_t>(length.count()) * 8;
  std::deque<std::uint64_t> given;
  SteadyTime done = now;  // the first of them
  std::int64_t left = 0;
  const milliseconds all(100'000);
  for (milliseconds step{0}; step < all; step += milliseconds(5)) {
    now += milliseconds(5);
    if (step % length == milliseconds(0)) slow.Push(Samples(samples), kRate, step, now);
    if (!given.empty() && now >= done) {
      slow.Complete(given.front(), Samples(samples, 7), now);
      given.pop_front();
      done = now + service;
    }
    while (const auto* piece = slow.NextToSubmit(now)) {
      if (given.empty()) done = now + service;
      given.push_back(piece->sequence);
      slow.Submitted(now);
    }
    while (slow.Take(now)) ++left;
  }
  EXPECT_GE(left, (all - milliseconds(2500)) / length) << "none is kept for longer than it may be";
  EXPECT_EQ(slow.counts().dropped, 0U);
  return slow.counts().processed;
}

TEST_F(AudioPiecesTest, AWorkerThatIsTooSlowGetsWhatItCanAnswerInTime) {
  EXPECT_GT(MadeBySlowWorker(milliseconds(125), milliseconds(100)), 780U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(600), milliseconds(100)), 150U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(800), milliseconds(500)), 110U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(1500), milliseconds(500)), 55U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(1100), milliseconds(1000)), 80U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(1900), milliseconds(500)), 40U);
  EXPECT_GT(MadeBySlowWorker(milliseconds(1900), milliseconds(1000)), 40U);
  EXPECT_EQ(MadeBySlowWorker(milliseconds(2500), milliseconds(1000)), 0U);
}

TEST_F(AudioPiecesTest, SoundThatStopsIsNotKeptForever) {
  Start(milliseconds(100));
  Push(30);
  EXPECT_EQ(pieces.NextDeadline(), now + milliseconds(500));
  now += milliseconds(499);
  pieces.CutSilence(now);
  EXPECT_EQ(Submit(), "");
  now += milliseconds(1);
  pieces.CutSilence(now);
  EXPECT_EQ(Submit(), "1:240 ");
}

// A lost packet here and there.
TEST_F(AudioPiecesTest, SmallGapsInOnePieceDoNotAddUp) {
  Start(milliseconds(1000));
  for (int i = 0; i < 5; ++i) Push(20, at + milliseconds(15));
  EXPECT_EQ(Submit(), "1:320 2:320 ") << "cut where it was 30 ms from where it began";
}

TEST_F(AudioPiecesTest, WhatAWorkerHasGoesToTheOneThatTakesOver) {
  Start(milliseconds(10));
  Push(10);
  EXPECT_EQ(Submit(), "1:80 ");
  pieces.ChangeWorker();
  EXPECT_EQ(Submit(), "1:80 ");
  pieces.Complete(1, Samples(80, 7), now);
  EXPECT_EQ(Take(), "1000=7x80 ");
}

TEST_F(AudioPiecesTest, SmallDifferencesInTimeDoNotAddUp) {
  Start(milliseconds(10));
  for (int i = 0; i < 10; ++i) Push(10, at + milliseconds(5));
  std::string submitted;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    submitted += Submit();
    pieces.Complete(i, Samples(80, 7), now);
  }
  EXPECT_EQ(submitted, "1:80 2:80 3:80 4:80 5:80 6:80 7:80 8:80 9:80 10:80 ");
  EXPECT_TRUE(Take().ends_with("1140=7x80 "));
}

TEST_F(AudioPiecesTest, NothingWaitsForAWorkerThatIsNotThere) {
  pieces.SetLength(milliseconds(10), now);
  Push(10);
  EXPECT_EQ(Take(), "1000=0x80 ");
  EXPECT_EQ(pieces.counts().passed_through, 1U);
}

TEST_F(AudioPiecesTest, AnotherLengthHoldsFromTheNextPieceOn) {
  Start(milliseconds(10));
  Push(14);
  pieces.SetLength(milliseconds(20), now);
  EXPECT_EQ(Submit(), "1:80 2:32 ");
  Push(20);
  pieces.Complete(1, Samples(80, 7), now);
  pieces.Complete(2, Samples(32, 8), now);
  EXPECT_EQ(Submit(), "3:160 ");
  pieces.SetLength(milliseconds(0), now);
  Push(3);
  pieces.Complete(3, Samples(160, 9), now);
  EXPECT_EQ(Take(), "1000=7x80 1010=8x32 1014=9x160 1034=272x24 ");
}

TEST_F(AudioPiecesTest, AJumpInTimeBeginsAPiece) {
  Start(milliseconds(10));
  Push(6);
  Push(6, at + milliseconds(300));
  EXPECT_EQ(Submit(), "1:48 ");
  Push(4);
  EXPECT_EQ(Submit(), "2:80 ");
  pieces.Complete(1, Samples(48, 7), now);
  pieces.Complete(2, Samples(80, 8), now);
  EXPECT_EQ(Take(), "1000=7x48 1306=8x80 ");
}

TEST_F(AudioPiecesTest, EventsKeepTheirPlace) {
  Start(milliseconds(10));
  pieces.PushEvent(Event(), AudioPieces::Place::kBetween, now);
  Push(6);
  pieces.PushEvent(Event(), AudioPieces::Place::kBetween, now);
  EXPECT_EQ(Submit(), "1:48 ");
  EXPECT_EQ(Take(), "event ");
  pieces.Complete(1, Samples(48, 7), now);
  EXPECT_EQ(Take(), "1000=7x48 event ");
  // What only says something of the stream cuts nothing.
  Push(6);
  pieces.PushEvent(Event(), AudioPieces::Place::kAmong, now);
  EXPECT_EQ(Take(), "event ");
  pieces.PushEvent(Event(), AudioPieces::Place::kAmong, now);
  EXPECT_EQ(pieces.Flush().size(), 1U);
  Push(10);
  EXPECT_EQ(Submit(), "2:80 ");
}

TEST_F(AudioPiecesTest, IsBounded) {
  Start(milliseconds(10));
  for (int i = 0; i < 20; ++i) Push(10);
  EXPECT_EQ(pieces.counts().dropped, 10U);
  for (int i = 0; i < 9; ++i) pieces.PushEvent(Event(), AudioPieces::Place::kBetween, now);
  EXPECT_EQ(Submit(), "11:80 12:80 ");
  pieces.LoseWorker();
  pieces.SetReady(false);
  const std::string taken = Take();
  EXPECT_TRUE(taken.starts_with("1100=800x80 ")) << taken;
  EXPECT_TRUE(taken.ends_with("x80 event event event ")) << taken;
}

}  // namespace
}  // namespace framelock::plugins
