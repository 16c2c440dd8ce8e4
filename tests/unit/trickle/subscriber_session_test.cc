// SPDX-License-Identifier: Apache-2.0
#include "trickle/subscriber_session.h"

#include <gtest/gtest.h>

#include <string>

namespace framelock::trickle {
namespace {

using net::TransferId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes down what the session asks for: "get 5 #2" is the request number 2, for segment 5.
class SubscriberSessionTest : public ::testing::Test, public SubscriberSession::Port {
 public:
  TransferId StartGet(std::int64_t wire_seq) override {
    Note("get " + std::to_string(wire_seq) + " #" + std::to_string(++last_id_));
    return last_id_;
  }
  void Cancel(TransferId id) override { Note("cancel #" + std::to_string(id)); }
  void ResumeBody(TransferId id) override { Note("resume #" + std::to_string(id)); }
  bool HasRoom() override { return room_; }
  void Push(Piece piece) override {
    std::string text = piece.discontinuity ? "!" : "";
    text += piece.segment_start ? "|" : "";
    text.append(reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
    Note(std::to_string(piece.segment_seq) + ":" + text);
  }
  void End(Error reason) override { Note(std::string("end ") + ErrorCodeName(reason.code)); }

 protected:
  void SetUp() override {
    options_.give_up_after = seconds(10);
    options_.retry_initial = milliseconds(100);
    options_.retry_max = milliseconds(400);
    options_.connect_timeout = seconds(5);
  }
  void Start() {
    session_.emplace(options_, *this);
    session_->Start(now_);
  }
  void Note(std::string what) { log_ += log_.empty() ? what : ", " + what; }
  // What was asked for since the last call.
  std::string Took() { return std::exchange(log_, ""); }

  void Head(TransferId id, AnswerHead head) { session_->OnHead(id, head, now_); }
  void Ok(TransferId id, std::uint64_t seq) { Head(id, {.status = 200, .seq = seq}); }
  void Missing(TransferId id, std::uint64_t seq, std::uint64_t latest) {
    Head(id, {.status = 470, .seq = seq, .latest = latest});
    Done(id);
  }
  void NotFound(TransferId id) {
    Head(id, {.status = 404});
    Done(id);
  }
  net::BodyAction Body(TransferId id, std::string_view text) {
    return session_->OnBody(id, std::as_bytes(std::span(text)), now_);
  }
  void Done(TransferId id) { session_->OnEnd(id, {}, now_); }
  void Break(TransferId id, ErrorCode code = ErrorCode::kClosed) {
    session_->OnEnd(id, Error{code, "broken"}, now_);
  }
  void Pass(std::chrono::nanoseconds time) {
    now_ += time;
    session_->OnTime(now_);
  }
  void Empty(TransferId id, std::uint64_t seq) {
    Ok(id, seq);
    Done(id);
  }
  // A whole segment as answer to the request.
  void Whole(TransferId id, std::uint64_t seq, std::string_view text) {
    Ok(id, seq);
    Body(id, text);
    Done(id);
  }
  const SubscriberStats& stats() { return session_->stats(); }
  [[nodiscard]] TransferId last_id() const { return last_id_; }

  SubscriberOptions options_;
  std::optional<SubscriberSession> session_;
  SteadyTime now_{seconds(1000)};
  bool room_ = true;

 private:
  TransferId last_id_ = 0;
  std::string log_;
};

TEST_F(SubscriberSessionTest, PreconnectsTheNextSegmentWhenAHeadComes) {
  Start();
  EXPECT_EQ(Took(), "get -2 #1");
  Ok(1, 7);
  EXPECT_EQ(Took(), "get 8 #2");
  Body(1, "ab");
  Body(1, "cd");
  EXPECT_EQ(Took(), "7:|ab, 7:cd");
  Done(1);
  EXPECT_EQ(Took(), "");  // 8 was asked for already
  Ok(2, 8);
  EXPECT_EQ(Took(), "get 9 #3");
}

TEST_F(SubscriberSessionTest, HoldsTheNextSegmentUntilThisOneEnds) {
  Start();
  Ok(1, 7);
  Ok(2, 8);
  EXPECT_EQ(Body(2, "early"), net::BodyAction::kPause);
  EXPECT_EQ(Body(1, "late"), net::BodyAction::kTaken);
  Took();
  Done(1);
  EXPECT_EQ(Took(), "get 9 #3, resume #2");
  Body(2, "early");
  EXPECT_EQ(Took(), "8:|early");
}

TEST_F(SubscriberSessionTest, PausesTheBodyWhileTheQueueIsFull) {
  Start();
  Ok(1, 0);
  Took();
  room_ = false;
  EXPECT_EQ(Body(1, "x"), net::BodyAction::kPause);
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "");
  room_ = true;
  Pass(milliseconds(1));
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "resume #1");
}

TEST_F(SubscriberSessionTest, EndsWithTheChannel) {
  Start();
  Whole(1, 0, "a");
  Took();
  Head(2, {.status = 200, .seq = 1, .closed = true});
  EXPECT_EQ(Took(), "cancel #2, end closed");
  Pass(seconds(100));
  EXPECT_EQ(Took(), "");
}

TEST_F(SubscriberSessionTest, TakesNotFoundAfterASegmentForTheEnd) {
  Start();
  Ok(1, 0);
  NotFound(2);  // the channel was deleted while its last segment is still read
  Body(1, "rest");
  Took();
  Done(1);
  EXPECT_EQ(Took(), "end closed");
}

TEST_F(SubscriberSessionTest, WaitsForAChannelAfterAConnectionBroke) {
  Start();
  Whole(1, 4, "a");
  Break(2);
  Pass(milliseconds(100));
  Took();
  NotFound(3);  // restarted, the publisher is not back yet
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(200));
  EXPECT_EQ(Took(), "get 5 #4");
  Missing(4, 5, 1);
  EXPECT_EQ(Took(), "get 0 #5");
  Ok(5, 0);
  Body(5, "new");
  EXPECT_EQ(Took(), "get 1 #6, 0:!|new");
  EXPECT_EQ(stats().resets, 1u);
  EXPECT_EQ(stats().missed_segments, 0u);
}

// A publisher sends a server that was restarted again what was not acknowledged.
TEST_F(SubscriberSessionTest, KnowsASegmentThatARestartedServerGotAgain) {
  const std::string begin(16 * 1024, 'a');
  Start();
  Ok(1, 40);
  Body(1, begin + "bcd");
  Break(1);
  Break(2);
  Pass(milliseconds(100));
  Took();
  Missing(3, 40, 1);
  EXPECT_EQ(Took(), "get 0 #4");
  Ok(4, 0);
  EXPECT_EQ(Took(), "get 1 #5");
  Body(4, begin.substr(0, 10'000));
  Body(4, begin.substr(10'000));
  Body(4, "bc");
  EXPECT_EQ(Took(), "");
  Body(4, "def");
  EXPECT_EQ(Took(), "0:ef");
  Done(4);
  Took();
  EXPECT_EQ(stats().bytes, begin.size() + 5);
  EXPECT_EQ(stats().resets, 1u);
  EXPECT_EQ(stats().missed_segments, 0u);
}

TEST_F(SubscriberSessionTest, KnowsSeveralSegmentsThatCameAgain) {
  const std::string tables(500, 't');
  const auto segment = [&](char c) { return tables + std::string(1000, c); };
  Start();
  Whole(1, 40, segment('a'));
  Whole(2, 41, segment('b'));
  Ok(3, 42);
  Body(3, segment('c'));
  Break(3);
  Break(4);
  Pass(milliseconds(100));
  Took();
  Missing(5, 42, 2);
  Took();
  Whole(6, 1, segment('b'));
  Ok(7, 2);
  Took();
  Body(7, segment('c'));
  EXPECT_EQ(Took(), "");
  Body(7, "and on");
  EXPECT_EQ(Took(), "2:and on");
  EXPECT_EQ(stats().missed_segments, 0u);
}

TEST_F(SubscriberSessionTest, KnowsASegmentThatCameAgainBehindAnEmptyOne) {
  const std::string had(2000, 'a');
  Start();
  Ok(1, 40);
  Body(1, had);
  Break(1);
  Break(2);
  Pass(milliseconds(100));
  Missing(3, 40, 2);
  Empty(4, 1);
  Ok(5, 2);
  Took();
  Body(5, had);
  EXPECT_EQ(Took(), "");
  Body(5, "and on");
  EXPECT_EQ(Took(), "2:and on");
}

TEST_F(SubscriberSessionTest, TakesWhatBeginsAlikeForNew) {
  const std::string begin(3000, 'a');
  Start();
  Ok(1, 40);
  Body(1, begin + "old");
  Break(1);
  Break(2);
  Pass(milliseconds(100));
  Took();
  Missing(3, 40, 1);
  Ok(4, 0);
  Took();
  Body(4, begin);
  EXPECT_EQ(Took(), "");
  Body(4, "new");
  EXPECT_EQ(Took(), "0:!|" + begin + "new");
  Done(4);
  Whole(5, 1, "short");
  EXPECT_EQ(Took(), "get 2 #6, 1:|short");
}

TEST_F(SubscriberSessionTest, LosesNothingOfWhatCouldHaveBeenALongerOne) {
  const std::string begin(2000, 'a');
  Start();
  Whole(1, 40, begin);
  Ok(2, 41);
  Body(2, begin + std::string(3000, 'b'));
  Break(2);
  Break(3);
  Pass(milliseconds(100));
  Missing(4, 41, 1);
  Ok(5, 0);
  Took();
  Body(5, begin);
  Body(5, "bb");
  EXPECT_EQ(Took(), "");
  Body(5, "cd");
  EXPECT_EQ(Took(), "0:!|bbcd");
  Body(5, "ef");
  EXPECT_EQ(Took(), "0:ef");
}

TEST_F(SubscriberSessionTest, GivesOutAShortSegmentThatBeginsAlike) {
  Start();
  Ok(1, 40);
  Body(1, std::string(2000, 'a'));
  Break(1);
  Break(2);
  Pass(milliseconds(100));
  Missing(3, 40, 1);
  Took();
  Whole(4, 0, "aaa");
  EXPECT_EQ(Took(), "get 1 #5, 0:!|aaa");
}

// The server is the same, so nobody sends it anything again.
TEST_F(SubscriberSessionTest, TakesARestartedPublishersSegmentsForNew) {
  Start();
  Whole(1, 40, std::string(2000, 'a'));
  Took();
  Missing(2, 41, 1);
  Ok(3, 0);
  Took();
  Body(3, std::string(2000, 'a'));
  EXPECT_EQ(Took(), "0:!|" + std::string(2000, 'a'));
}

// The number is the same, by chance.
TEST_F(SubscriberSessionTest, DoesNotSkipInASegmentThatIsAnother) {
  Start();
  Ok(1, 0);
  Body(1, "abc");
  Break(1);
  Break(2);
  Pass(milliseconds(100));
  Took();
  Ok(3, 0);
  Body(3, "abX and more");
  EXPECT_EQ(Took(), "get 1 #4, 0:!|abX and more");
  EXPECT_EQ(stats().missed_segments, 1u);
}

TEST_F(SubscriberSessionTest, GivesUpOnAChannelThatNeverComes) {
  Start();
  TransferId id = 1;
  while (Took() != "end not_found") {
    ASSERT_LT(id, 100u);
    NotFound(id++);
    now_ += milliseconds(400);
    session_->OnTime(now_);
  }
  EXPECT_GE(id, 20u);
}

// However long it was away, and without asking all the time.
TEST_F(SubscriberSessionTest, FindsALiveInputSoonAfterItReturns) {
  options_ = {};
  options_.give_up_after = seconds(0);
  Start();
  for (TransferId id = 1; id < 1000; ++id) {
    Break(id, ErrorCode::kUnavailable);
    ASSERT_LE(*session_->NextDeadline(), now_ + milliseconds(150));
    ASSERT_GE(*session_->NextDeadline(), now_ + milliseconds(75));
    Pass(milliseconds(150));
  }
}

TEST_F(SubscriberSessionTest, DoesNotGiveUpWhenToldSo) {
  options_.give_up_after = seconds(0);
  Start();
  for (TransferId id = 1; id < 1000; ++id) {
    Break(id, ErrorCode::kUnavailable);
    Pass(seconds(60));
  }
  EXPECT_EQ(Took().find("end"), std::string::npos);
}

TEST_F(SubscriberSessionTest, CountsGapsExactly) {
  options_.start_seq = 10;
  Start();
  Whole(1, 10, "a");
  Took();
  Missing(2, 11, 20);
  EXPECT_EQ(Took(), "get 20 #3");
  Ok(3, 20);
  Body(3, "b");
  EXPECT_EQ(Took(), "get 21 #4, 20:!|b");
  EXPECT_EQ(stats().missed_segments, 9u);
  EXPECT_EQ(stats().resets, 0u);
}

TEST_F(SubscriberSessionTest, TakesOldServersAnswerToAnEmptySegment) {
  Start();
  Whole(1, 0, "a");
  Took();
  Missing(2, 1, 2);
  EXPECT_EQ(Took(), "get 2 #3");
  Whole(3, 2, "c");
  EXPECT_EQ(Took(), "get 3 #4, 2:|c");
  EXPECT_EQ(stats().empty_segments, 1u);
  EXPECT_EQ(stats().segments, 3u);
  EXPECT_EQ(stats().missed_segments, 0u);
}

TEST_F(SubscriberSessionTest, WaitsWhenAheadAndAsksAgain) {
  options_.start_seq = 5;
  Start();
  Took();
  Missing(1, 5, 3);
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(249));
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "get 5 #2");
  Missing(2, 5, 5);
  Pass(milliseconds(250));
  EXPECT_EQ(Took(), "get 5 #3");
}

TEST_F(SubscriberSessionTest, FollowsNumbersThatWentBack) {
  Start();
  Whole(1, 40, "old");
  Took();
  Missing(2, 41, 3);
  EXPECT_EQ(Took(), "get 2 #3");
  Ok(3, 2);
  Body(3, "new");
  EXPECT_EQ(Took(), "get 3 #4, 2:!|new");
  EXPECT_EQ(stats().resets, 1u);
  EXPECT_EQ(stats().missed_segments, 1u);  // 0 and 1, or none: at least one is assumed
}

TEST_F(SubscriberSessionTest, FollowsAChannelThatWasMadeAgain) {
  Start();
  Whole(1, 40, "old");
  Took();
  Missing(2, 41, 0);
  EXPECT_EQ(Took(), "get 0 #3");
}

TEST_F(SubscriberSessionTest, IsNotLedOnWithoutPauses) {
  options_.start_seq = 0;
  Start();
  TransferId id = 1;
  std::uint64_t seq = 0;
  for (; seq < 4; ++seq) Missing(id++, seq, seq + 1);
  Took();
  Missing(id++, seq, seq + 1);
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(250));
  EXPECT_EQ(Took(), "get 5 #6");
}

TEST_F(SubscriberSessionTest, IsNotLedOnByEmptySegments) {
  Start();
  TransferId id = 1;
  for (std::uint64_t seq = 0; seq < 4; ++seq) Empty(id++, seq);
  Took();
  Empty(id, 4);
  EXPECT_EQ(Took(), "get 5 #6, cancel #6");
  Pass(milliseconds(250));
  EXPECT_EQ(Took(), "get 5 #7");
}

TEST_F(SubscriberSessionTest, SkipsWhatItHadOfABrokenSegment) {
  Start();
  Ok(1, 3);
  Body(1, "abc");
  Break(1);
  Took();
  Pass(milliseconds(100));
  EXPECT_EQ(Took(), "get 3 #3");
  Ok(3, 3);
  Body(3, "ab");
  Body(3, "cde");
  EXPECT_EQ(Took(), "3:de");
  Break(3);
  Pass(milliseconds(200));
  Took();
  Whole(4, 3, "abcdef");
  EXPECT_EQ(Took(), "3:f");
  EXPECT_EQ(stats().segments, 1u);
  EXPECT_EQ(stats().reconnects, 2u);
  EXPECT_EQ(stats().bytes, 6u);
  EXPECT_EQ(stats().missed_segments, 0u);
}

TEST_F(SubscriberSessionTest, MarksABrokenSegmentThatGotShorter) {
  Start();
  Ok(1, 3);
  Body(1, "abc");
  Break(1);
  Pass(milliseconds(100));
  Took();
  Whole(3, 3, "a");
  Whole(2, 4, "next");
  EXPECT_EQ(Took(), "get 5 #4, 4:!|next");
  EXPECT_EQ(stats().missed_segments, 1u);
}

TEST_F(SubscriberSessionTest, CountsABrokenSegmentThatIsGone) {
  Start();
  Ok(1, 3);
  Body(1, "abc");
  Break(1);
  Pass(milliseconds(100));
  Took();
  Missing(3, 3, 9);
  EXPECT_EQ(Took(), "cancel #2, get 9 #4");
  Ok(4, 9);
  Body(4, "x");
  EXPECT_EQ(Took(), "get 10 #5, 9:!|x");
  EXPECT_EQ(stats().missed_segments, 6u);
}

// Some servers never close the segment of a publisher that vanished.
TEST_F(SubscriberSessionTest, LeavesASilentSegmentOnceTheNextOneHasBegun) {
  options_.leave_silent_after = milliseconds(500);
  Start();
  Ok(1, 3);
  Body(1, "abc");
  Pass(seconds(10));
  Took();
  Ok(2, 4);
  EXPECT_EQ(Body(2, "next"), net::BodyAction::kPause);
  EXPECT_EQ(session_->NextDeadline(), now_ + milliseconds(500));
  Pass(milliseconds(499));
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "cancel #1, get 5 #3, resume #2");
  Body(2, "next");
  EXPECT_EQ(Took(), "4:!|next");
  EXPECT_EQ(Body(1, "late"), net::BodyAction::kTaken);
  EXPECT_EQ(Took(), "");
  EXPECT_EQ(stats().missed_segments, 1u);
  EXPECT_EQ(stats().last_error, "segment 3: silent though the next one has begun, left");
}

TEST_F(SubscriberSessionTest, StaysWithASegmentThatBringsBytes) {
  options_.leave_silent_after = milliseconds(500);
  Start();
  Ok(1, 3);
  Ok(2, 4);
  Body(2, "next");
  Took();
  for (int i = 0; i < 5; ++i) {
    Pass(milliseconds(499));
    Body(1, "a");
    EXPECT_EQ(Took(), i == 0 ? "3:|a" : "3:a");
  }
  // What does not fit into the queue has come all the same.
  room_ = false;
  EXPECT_EQ(Body(1, "b"), net::BodyAction::kPause);
  Pass(seconds(100));
  EXPECT_EQ(Took(), "");
  room_ = true;
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "resume #1");
  Body(1, "b");
  Pass(milliseconds(499));
  EXPECT_EQ(Took(), "3:b");
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "cancel #1, get 5 #3, resume #2");
  // The next one has its own time, however long it was held up.
  Pass(milliseconds(1));
  EXPECT_EQ(Took(), "");
}

TEST_F(SubscriberSessionTest, StaysWithASilentSegmentWhenToldSo) {
  options_.leave_silent_after = milliseconds(0);
  options_.reissue_waiting_get = seconds(0);
  Start();
  Ok(1, 3);
  Body(1, "a");
  Ok(2, 4);
  Took();
  EXPECT_EQ(session_->NextDeadline(), std::nullopt);
  Pass(seconds(1000));
  EXPECT_EQ(Took(), "");
}

TEST_F(SubscriberSessionTest, RenewsAWaitingGetBesideTheOldOne) {
  options_.reissue_waiting_get = seconds(20);
  Start();
  Took();
  EXPECT_EQ(session_->NextDeadline(), now_ + seconds(20));
  Pass(seconds(20));
  EXPECT_EQ(Took(), "get -2 #2");  // both wait
  Pass(seconds(20));
  EXPECT_EQ(Took(), "cancel #1, get -2 #3");
  Ok(2, 5);  // the older one answers
  EXPECT_EQ(Took(), "cancel #3, get 6 #4");
  Body(2, "x");
  EXPECT_EQ(Took(), "5:|x");
  Ok(3, 5);  // its head was on the way already
  EXPECT_EQ(Body(3, "x"), net::BodyAction::kTaken);
  EXPECT_EQ(Took(), "");
}

TEST_F(SubscriberSessionTest, DoesNotRenewTooOftenWhenTheRenewalFails) {
  options_.reissue_waiting_get = seconds(20);
  Start();
  Took();
  Pass(seconds(20));
  Break(2, ErrorCode::kUnavailable);
  Took();
  Pass(seconds(19));
  EXPECT_EQ(Took(), "");  // the first still waits
  Pass(seconds(1));
  EXPECT_EQ(Took(), "get -2 #3");
}

TEST_F(SubscriberSessionTest, DoesNotGiveUpAfterALongQuietWait) {
  options_.reissue_waiting_get = seconds(0);
  Start();
  Break(1, ErrorCode::kUnavailable);
  Pass(milliseconds(100));
  Pass(seconds(60));  // held by a server all that time
  Took();
  Break(2);
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(100));
  EXPECT_EQ(Took(), "get -1 #3");  // and a server that broke -2 is asked for -1
}

TEST_F(SubscriberSessionTest, CutsOffALongSegment) {
  options_.max_segment_bytes = 4;
  Start();
  Ok(1, 0);
  Body(1, "abcd");
  Took();
  Body(1, "e");
  EXPECT_EQ(Took(), "cancel #1");
  Whole(2, 1, "x");
  EXPECT_EQ(Took(), "get 2 #3, 1:!|x");
  EXPECT_EQ(stats().missed_segments, 1u);
}

TEST_F(SubscriberSessionTest, RetriesTransientAnswersOnly) {
  for (const unsigned status : {204u, 408u, 429u, 500u, 503u}) {
    Start();
    Took();
    const TransferId id = last_id();
    Head(id, {.status = status});
    Done(id);
    EXPECT_EQ(Took(), "") << status;
    EXPECT_TRUE(session_->NextDeadline().has_value()) << status;
  }
  for (const unsigned status : {301u, 401u, 403u, 405u, 418u}) {
    Start();
    Took();
    const TransferId id = last_id();
    Head(id, {.status = status});
    Done(id);
    EXPECT_EQ(Took(), "end invalid_argument") << status;
  }
}

TEST_F(SubscriberSessionTest, IgnoresEventsOfOthers) {
  Start();
  Took();
  Ok(99, 3);
  EXPECT_EQ(Body(99, "x"), net::BodyAction::kTaken);
  Done(99);
  Break(99);
  EXPECT_EQ(Took(), "");
}

}  // namespace
}  // namespace framelock::trickle
