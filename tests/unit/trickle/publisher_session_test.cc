// SPDX-License-Identifier: Apache-2.0
#include "trickle/publisher_session.h"

#include <gtest/gtest.h>

#include <string>

namespace framelock::trickle {
namespace {

using net::TransferId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes down what the session asks for: "post 5 #2" is the request number 2, for segment 5.
class PublisherSessionTest : public ::testing::Test, public PublisherSession::Port {
 public:
  TransferId StartCreate() override { return Request("create"); }
  TransferId StartNext() override { return Request("next"); }
  TransferId StartPost(std::uint64_t seq, PublisherSession::PostKind kind) override {
    const bool reset = kind == PublisherSession::PostKind::kReset;
    return Request("post " + std::to_string(seq) + (reset ? " reset" : ""));
  }
  TransferId StartDelete() override { return Request("delete"); }
  void Cancel(TransferId id) override { Note("cancel #" + std::to_string(id)); }
  void ResumeUpload(TransferId id) override { Note("resume #" + std::to_string(id)); }
  void Ended() override { Note("ended"); }

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
  // Past the opening: request 1 created, 2 numbered, 3 is the idle POST of `next`.
  void Open(std::uint64_t next = 0) {
    Start();
    Answer(1, {.status = 200});
    Answer(2, {.status = 200, .latest = next});
    Took();
  }
  void Note(std::string what) { log_ += log_.empty() ? what : ", " + what; }
  TransferId Request(const std::string& what) {
    Note(what + " #" + std::to_string(++last_id_));
    return last_id_;
  }
  std::string Took() { return std::exchange(log_, ""); }

  Status Write(std::string_view text) {
    return session_->Write(std::as_bytes(std::span(text)), now_);
  }
  void Answer(TransferId id, AnswerHead head) {
    session_->OnHead(id, head, now_);
    session_->OnEnd(id, {}, now_);
    session_->OnTime(now_);
  }
  void Ok(TransferId id) { Answer(id, {.status = 200}); }
  void Break(TransferId id, ErrorCode code = ErrorCode::kClosed) {
    session_->OnEnd(id, Error{code, "broken"}, now_);
    session_->OnTime(now_);
  }
  // What the transport pulls: the bytes, '.' at the body's end, '?' when it has to wait.
  std::string Pull(TransferId id) {
    std::string pulled;
    while (true) {
      std::string room(4, ' ');
      const auto size = session_->OnUpload(id, std::as_writable_bytes(std::span(room)), now_);
      if (!size) return pulled + "?";
      if (*size == 0) {
        session_->OnTime(now_);
        return pulled + ".";
      }
      pulled += room.substr(0, *size);
    }
  }
  void Pass(std::chrono::nanoseconds time) {
    now_ += time;
    session_->OnTime(now_);
  }
  PublisherStats stats() { return session_->stats(); }
  [[nodiscard]] TransferId last_id() const { return last_id_; }

  PublisherOptions options_;
  std::optional<PublisherSession> session_;
  SteadyTime now_{seconds(1000)};

 private:
  TransferId last_id_ = 0;
  std::string log_;
};

TEST_F(PublisherSessionTest, CreatesNumbersAndPreconnects) {
  Start();
  EXPECT_EQ(Took(), "create #1");
  Ok(1);
  EXPECT_EQ(Took(), "next #2");
  Answer(2, {.status = 200, .latest = 7});
  EXPECT_EQ(Took(), "post 7 reset #3");
  EXPECT_EQ(Pull(3), "?");
  ASSERT_TRUE(Write("hello").ok());
  EXPECT_EQ(Took(), "post 8 #4, resume #3");
  EXPECT_EQ(Pull(3), "hello?");
  ASSERT_TRUE(Write(" you").ok());
  EXPECT_EQ(Took(), "resume #3");
  EXPECT_EQ(Pull(3), " you?");
  ASSERT_TRUE(session_->BeginSegment().ok());
  EXPECT_EQ(Took(), "resume #3");
  EXPECT_EQ(Pull(3), ".");
  Ok(3);
  EXPECT_EQ(stats().segments, 1u);
  EXPECT_EQ(Pull(4), "?");
  ASSERT_TRUE(Write("next").ok());
  EXPECT_EQ(Took(), "post 9 #5, resume #4");
}

TEST_F(PublisherSessionTest, BeginsASegmentBeforeTheOneBeforeIsAnswered) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  ASSERT_TRUE(session_->BeginSegment().ok());
  ASSERT_TRUE(Write("b").ok());
  Took();
  EXPECT_EQ(Pull(4), "?");  // not while segment 0 has bytes
  EXPECT_EQ(Pull(3), "a.");
  EXPECT_EQ(Took(), "post 2 #5, resume #4");
  EXPECT_EQ(Pull(4), "b?");
}

TEST_F(PublisherSessionTest, OpensAFewPostsAtMost) {
  Open();
  for (TransferId id = 3; id < 20; ++id) {
    ASSERT_TRUE(Write("a").ok());
    ASSERT_TRUE(session_->BeginSegment().ok());
    Pull(id);
  }
  EXPECT_EQ(last_id(), 6u);  // segments 0 to 3; the others wait for an answer
  Took();
  Ok(3);
  EXPECT_EQ(Took(), "post 4 #7");
}

TEST_F(PublisherSessionTest, EndsAWholeSegmentAtOnce) {
  options_.whole_segments = true;
  Open();
  ASSERT_TRUE(Write("a").ok());
  EXPECT_EQ(Pull(3), "a.");
  ASSERT_TRUE(session_->BeginSegment().ok());
  ASSERT_TRUE(Write("b").ok());
  EXPECT_EQ(Pull(4), "b.");
  Ok(3);
  Ok(4);
  EXPECT_EQ(stats().segments, 2u);
}

TEST_F(PublisherSessionTest, MakesNoEmptySegments) {
  Open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(session_->BeginSegment().ok());
  ASSERT_TRUE(Write("").ok());
  EXPECT_EQ(Took(), "");
  ASSERT_TRUE(Write("a").ok());
  EXPECT_EQ(Took(), "post 1 #4");
  EXPECT_EQ(stats().segment_seq, 0u);
}

TEST_F(PublisherSessionTest, ClosesAfterTheLastAnswer) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  Took();
  session_->Close(now_);
  EXPECT_EQ(Write("b").error().code, ErrorCode::kClosed);
  EXPECT_EQ(Pull(3), "a.");
  EXPECT_EQ(Took(), "");
  Ok(3);
  EXPECT_EQ(Took(), "cancel #4, delete #5");
  Answer(5, {.status = 400});  // somebody was faster
  EXPECT_EQ(Took(), "ended");
  EXPECT_TRUE(session_->result().ok());
  EXPECT_EQ(session_->BeginSegment().error().code, ErrorCode::kClosed);
}

TEST_F(PublisherSessionTest, LeavesTheChannelWhenToldSo) {
  options_.delete_channel = false;
  options_.create_channel = false;
  options_.resume_numbering = false;
  Start();
  EXPECT_EQ(Took(), "post 0 #1");
  session_->Close(now_);
  EXPECT_EQ(Took(), "cancel #1, ended");
}

TEST_F(PublisherSessionTest, StartsAtZeroWithoutNext) {
  for (const unsigned status : {400u, 404u, 405u}) {
    Start();
    const TransferId create = last_id();
    Answer(create, {.status = 405});
    Answer(create + 1, {.status = status});
    EXPECT_TRUE(Took().ends_with("post 0 #" + std::to_string(create + 2)));
  }
}

TEST_F(PublisherSessionTest, EndsWithTheChannelWhileIdle) {
  Open();
  session_->OnHead(3, {.status = 200, .seq = 0, .closed = true}, now_);
  EXPECT_EQ(Took(), "cancel #3, ended");
  EXPECT_EQ(Write("a").error().code, ErrorCode::kClosed);
}

TEST_F(PublisherSessionTest, TakesTheNextNumberWhenAnIdlePostIsAnswered) {
  Open(5);
  Answer(3, {.status = 200, .seq = 5});
  EXPECT_EQ(Took(), "cancel #3, post 6 reset #4");
  Answer(4, {.status = 200});  // older servers do not say the number
  EXPECT_EQ(Took(), "cancel #4, post 7 reset #5");
}

TEST_F(PublisherSessionTest, IsNotLedOnByAnswersToIdlePosts) {
  Open();
  for (TransferId id = 3; id < 7; ++id) Answer(id, {.status = 200});
  Took();
  Answer(7, {.status = 200});
  EXPECT_EQ(Took(), "cancel #7");
  Pass(milliseconds(250));
  EXPECT_EQ(Took(), "post 5 reset #8");
}

TEST_F(PublisherSessionTest, GivesASegmentAnotherNumberWhenNothingOfItWasSent) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  Took();
  Answer(3, {.status = 200});  // closed by somebody before the first byte left
  EXPECT_EQ(Took(), "cancel #3, post 2 #5");
  EXPECT_EQ(Pull(4), "a?");
  EXPECT_EQ(stats().dropped_segments, 0u);
}

TEST_F(PublisherSessionTest, DropsTheRestOfASegmentThatTheServerClosed) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  Pull(3);
  Took();
  Answer(3, {.status = 200});
  EXPECT_EQ(Took(), "cancel #3");
  ASSERT_TRUE(Write("b").ok());  // still the same segment
  EXPECT_EQ(Took(), "");
  ASSERT_TRUE(session_->BeginSegment().ok());
  ASSERT_TRUE(Write("c").ok());
  EXPECT_EQ(Took(), "post 2 #5");
  EXPECT_EQ(Pull(4), "c?");
  EXPECT_EQ(stats().dropped_segments, 1u);
}

TEST_F(PublisherSessionTest, DropsASegmentThatIsTooLarge) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  Pull(3);
  Took();
  Answer(3, {.status = 413});
  EXPECT_EQ(Took(), "cancel #3");
  EXPECT_FALSE(session_->ended());
  EXPECT_EQ(stats().dropped_segments, 1u);
}

TEST_F(PublisherSessionTest, RepeatsAnIdlePost) {
  Open(3);
  Break(3);
  EXPECT_EQ(Took(), "");
  Pass(milliseconds(100));
  EXPECT_EQ(Took(), "post 3 reset #4");
}

// However long it was away, and without asking all the time.
TEST_F(PublisherSessionTest, FindsAServerSoonAfterItReturns) {
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

TEST_F(PublisherSessionTest, RepeatsASegmentOfWhichNothingWasSent) {
  Open();
  ASSERT_TRUE(Write("whole").ok());
  Took();
  Break(3);
  ASSERT_TRUE(Write("!").ok());
  Pass(milliseconds(100));
  EXPECT_EQ(Took(), "post 0 #5");
  EXPECT_EQ(Pull(5), "whole!?");
  EXPECT_EQ(stats().reposted_segments, 1u);
}

TEST_F(PublisherSessionTest, ContinuesABrokenSegmentThatTheServerHas) {
  Open();
  ASSERT_TRUE(Write("sent").ok());
  Pull(3);
  ASSERT_TRUE(Write("-unsent").ok());
  Took();
  Break(3);
  Pass(milliseconds(100));
  EXPECT_EQ(Took(), "create #5");
  Ok(5);
  Answer(6, {.status = 200, .latest = 1});
  EXPECT_EQ(Took(), "next #6, post 0 #7");
  EXPECT_EQ(Pull(7), "-unsent?");
}

TEST_F(PublisherSessionTest, StartsABrokenSegmentAgainThatTheServerNeverSaw) {
  Open();
  ASSERT_TRUE(Write("sent").ok());
  Pull(3);
  Break(3);
  Pass(milliseconds(100));
  Ok(5);
  Took();
  Answer(6, {.status = 200, .latest = 0});
  EXPECT_EQ(Took(), "post 0 #7");
  EXPECT_EQ(Pull(7), "sent?");
}

TEST_F(PublisherSessionTest, FollowsTheNumbersOfARestartedServer) {
  Open(40);
  ASSERT_TRUE(Write("a").ok());
  Pull(3);
  Break(3);
  Break(4, ErrorCode::kUnavailable);
  Pass(milliseconds(100));
  Ok(5);
  Took();
  Answer(6, {.status = 200, .latest = 0});
  EXPECT_EQ(Took(), "post 0 reset #7, post 1 #8");
  EXPECT_EQ(Pull(7), "a?");
}

TEST_F(PublisherSessionTest, TakesNotFoundForTheEndUnlessContactWasLost) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  ASSERT_TRUE(session_->BeginSegment().ok());
  Pull(3);
  Ok(3);
  Break(4, ErrorCode::kUnavailable);
  Pass(milliseconds(100));
  Answer(5, {.status = 404});
  Answer(6, {.status = 404});
  Took();
  Answer(7, {.status = 404});  // not back yet: try again
  EXPECT_FALSE(session_->ended());
  Pass(milliseconds(400));
  Ok(8);
  Answer(9, {.status = 200, .latest = 0});
  ASSERT_TRUE(Write("b").ok());
  ASSERT_TRUE(session_->BeginSegment().ok());
  Pull(10);
  Ok(10);
  Took();
  Answer(11, {.status = 404});
  EXPECT_EQ(Took(), "cancel #11, ended");
  EXPECT_EQ(session_->result().error().code, ErrorCode::kClosed);
}

TEST_F(PublisherSessionTest, GivesUp) {
  Start();
  for (TransferId id = 1; !session_->ended() && id < 100; ++id) {
    Break(id, ErrorCode::kUnavailable);
    Pass(milliseconds(400));
  }
  EXPECT_EQ(Write("a").error().code, ErrorCode::kUnavailable);
}

TEST_F(PublisherSessionTest, TakesALateAnswerForALostConnection) {
  options_.answer_timeout = seconds(3);
  Open();
  ASSERT_TRUE(Write("abc").ok());
  ASSERT_TRUE(session_->BeginSegment().ok());
  EXPECT_EQ(Pull(3), "abc.");
  EXPECT_EQ(session_->NextDeadline(), now_ + seconds(3));
  Took();
  Pass(seconds(3));
  EXPECT_EQ(Took(), "cancel #3");
  Pass(milliseconds(100));
  Ok(5);
  Took();
  Answer(6, {.status = 200, .latest = 1});
  EXPECT_EQ(Took(), "post 0 #7");
  EXPECT_EQ(Pull(7), ".");  // the server has it all: only the end is repeated
  Ok(7);
  EXPECT_EQ(stats().segments, 1u);
}

TEST_F(PublisherSessionTest, KeepsTheBoundByDroppingWholeSegments) {
  options_.queue_bytes = 4 * 16 * 1024;
  Open();
  const std::string large(16 * 1024, 'x');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(session_->BeginSegment().ok());
    ASSERT_TRUE(Write(large).ok());
    EXPECT_LE(stats().queued_bytes, options_.queue_bytes);
  }
  EXPECT_EQ(stats().dropped_segments, 6u);  // 0 was begun; 1 to 6 were dropped
  session_->Close(now_);
  EXPECT_EQ(Pull(3), large + ".");
}

TEST_F(PublisherSessionTest, CutsTheSegmentBeingSentWhenItAloneIsTooMuch) {
  options_.queue_bytes = 2 * 16 * 1024;
  Open();
  const std::string large(16 * 1024, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Write(large).ok());
  EXPECT_EQ(stats().dropped_segments, 1u);
  EXPECT_EQ(Pull(3), large + large + ".");
  Ok(3);
  EXPECT_EQ(stats().segments, 0u);
  EXPECT_EQ(stats().queued_bytes, 0u);
  ASSERT_TRUE(session_->BeginSegment().ok());
  ASSERT_TRUE(Write("fits").ok());
  EXPECT_EQ(Pull(4), "fits?");
}

TEST_F(PublisherSessionTest, ForgetsSentBytesFirst) {
  options_.queue_bytes = 2 * 16 * 1024;
  Open();
  const std::string large(16 * 1024, 'x');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Write(large).ok());
    EXPECT_EQ(Pull(3), large + "?");
  }
  EXPECT_EQ(stats().dropped_segments, 0u);
  Break(3);
  Pass(milliseconds(100));
  Ok(5);
  Answer(6, {.status = 200, .latest = 0});  // it would have to start again, but cannot
  EXPECT_EQ(stats().dropped_segments, 1u);
}

TEST_F(PublisherSessionTest, AbortsAtOnce) {
  Open();
  ASSERT_TRUE(Write("a").ok());
  Took();
  session_->Abort({ErrorCode::kTimeout, "late"});
  EXPECT_EQ(Took(), "cancel #4, cancel #3, ended");
  EXPECT_EQ(stats().dropped_segments, 1u);
  EXPECT_EQ(session_->result().error().code, ErrorCode::kTimeout);
}

TEST_F(PublisherSessionTest, NeverEndsABodyThatIsNotItsOwn) {
  Open();
  EXPECT_EQ(Pull(99), "?");
  EXPECT_EQ(Pull(3), "?");
}

}  // namespace
}  // namespace framelock::trickle
