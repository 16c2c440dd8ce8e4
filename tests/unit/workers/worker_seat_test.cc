// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_seat.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "tests/support/fake_clock.h"
#include "workers/host/frame_region.h"
#include "workers/protocol/message_codec.h"
#include "workers/protocol/shared_region.h"

namespace framelock::host {
namespace {

using namespace std::chrono_literals;
using Reason = WorkerSeat::LossReason;

// The far end of one worker, played by the test.
class PlayedWorker {
 public:
  explicit PlayedWorker(PacketSocket socket) : socket_(std::move(socket)) {}

  void Welcome(std::uint64_t revision = 1) {
    const auto hello = Hear<protocol::Hello>();
    protocol::Welcome message;
    message.pid = 4321;
    message.greeting = hello.greeting;
    message.revision = revision;
    auto page = protocol::SharedMemory::Map(std::move(fds_.at(0)), protocol::kControlPageBytes);
    ASSERT_TRUE(page);
    page_ = std::move(*page);
    Say(message);
  }
  void Beat() {
    auto* control = reinterpret_cast<protocol::ControlPage*>(page_.bytes().data());
    std::atomic_ref<std::uint64_t>(control->heartbeat).fetch_add(1);
  }
  template <typename Message>
  Message Hear() {
    auto packet = socket_.Receive();
    EXPECT_TRUE(packet && packet->has_value()) << "nothing was said";
    if (!packet || !packet->has_value()) return {};
    fds_ = std::move((*packet)->fds);
    auto message = protocol::Decode<Message>((*packet)->bytes);
    EXPECT_TRUE(message);
    return message ? *message : Message{};
  }
  template <typename Message>
  void Say(const Message& message, std::span<const int> fds = {}) {
    ASSERT_TRUE(socket_.Send(protocol::Encode(message), fds));
  }
  bool HungUp() {
    for (;;) {
      auto packet = socket_.Receive();
      if (!packet) return packet.error().code == ErrorCode::kClosed;
      if (!packet->has_value()) return false;
    }
  }
  void HangUp() { socket_ = PacketSocket(); }

 private:
  PacketSocket socket_;
  std::vector<UniqueFd> fds_;
  protocol::SharedMemory page_;
};

class WorkerSeatTest : public testing::Test {
 protected:
  void MakeOwn() {
    WorkerSeat::Options options;
    options.command = WorkerCommand{.argv = {"worker"}};
    options.restart.jitter = 0;
    options.spawn = [this](const WorkerCommand&) -> Result<SpawnedWorker> {
      if (spawn_fails_) return Error{ErrorCode::kInternal, "no such file"};
      return SpawnedWorker{.process = nullptr, .socket = NewWorker()};
    };
    Make(std::move(options));
  }
  void MakeLent() { Make({}); }
  void Make(WorkerSeat::Options options) {
    options.clock = &clock_;
    seat_ = std::make_unique<WorkerSeat>(std::move(options));
  }
  PacketSocket NewWorker() {
    auto pair = PacketSocket::CreatePair();
    EXPECT_TRUE(pair);
    workers_.push_back(std::make_unique<PlayedWorker>(std::move(pair->second)));
    return std::move(pair->first);
  }
  PlayedWorker& worker() { return *workers_.back(); }

  template <typename Event>
  Event Expect() {
    const auto event = seat_->Next();
    EXPECT_TRUE(event.has_value()) << "nothing happened";
    if (!event) return {};
    const auto* wanted = std::get_if<Event>(&*event);
    EXPECT_NE(wanted, nullptr) << "event " << event->index();
    return wanted != nullptr ? *wanted : Event{};
  }
  void ExpectNothing() { EXPECT_FALSE(seat_->Next().has_value()); }
  void Seat() {
    ExpectNothing();
    worker().Welcome();
    Expect<WorkerClient::Welcomed>();
    EXPECT_TRUE(seat_->seated());
  }

  void AttachRegion() {
    auto region = FrameRegion::Create({.width = 8, .height = 8});
    ASSERT_TRUE(region);
    ASSERT_TRUE(seat_->Attach((*region)->layout(), (*region)->memory()));
    worker().Hear<protocol::Attach>();
    protocol::Attached attached;
    attached.generation = 1;
    attached.output_width = attached.output_height = 8;
    worker().Say(attached);
    Expect<WorkerClient::Attached>();
  }
  void ComputeAtOnce(FrameSequence sequence, std::uint64_t revision) {
    ASSERT_TRUE(seat_->Submit(sequence, 0, 0));
    worker().Hear<protocol::Submit>();
    protocol::Completed completed;
    completed.sequence = sequence.value;
    completed.generation = 1;
    completed.revision = revision;
    completed.output_width = completed.output_height = 8;
    worker().Say(completed);
    Expect<WorkerClient::Completed>();
  }
  // The worker beats, and has `limit` for what it has at hand.
  void ExpectHangAfter(std::chrono::milliseconds limit) {
    for (auto past = 100ms; past < limit; past += 100ms) {
      clock_.Advance(100ms);
      worker().Beat();
      ASSERT_FALSE(seat_->Next().has_value()) << past.count() << " ms";
    }
    clock_.Advance(100ms);
    worker().Beat();
    EXPECT_EQ(Expect<WorkerSeat::Lost>().reason, Reason::kHung);
  }

  FakeClock clock_;
  bool spawn_fails_ = false;
  std::vector<std::unique_ptr<PlayedWorker>> workers_;
  std::unique_ptr<WorkerSeat> seat_;
};

TEST_F(WorkerSeatTest, SpawnsGreetsAndSeats) {
  MakeOwn();
  EXPECT_FALSE(seat_->occupied());
  EXPECT_EQ(seat_->NextDeadline(), clock_.Now());
  ExpectNothing();
  EXPECT_TRUE(seat_->occupied());
  EXPECT_FALSE(seat_->seated());
  EXPECT_FALSE(seat_->SetPrompt(1, "{}"));
  worker().Welcome(0);
  EXPECT_EQ(Expect<WorkerClient::Welcomed>().pid, 4321);
  EXPECT_TRUE(seat_->SetPrompt(1, "{}"));
  EXPECT_EQ(worker().Hear<protocol::SetPrompt>().revision, 1U);
}

TEST_F(WorkerSeatTest, ADeadWorkerIsReplacedAfterALongerAndLongerPause) {
  MakeOwn();
  for (const auto pause : {0ms, 250ms, 500ms, 1000ms, 2000ms}) {
    Seat();
    worker().HangUp();
    const auto lost = Expect<WorkerSeat::Lost>();
    EXPECT_EQ(lost.reason, Reason::kClosed);
    EXPECT_EQ(lost.pid, 4321);
    const std::size_t before = workers_.size();
    if (pause > 0ms) {
      clock_.Advance(pause - 1ms);
      ExpectNothing();
      EXPECT_EQ(workers_.size(), before);
      clock_.Advance(1ms);
    }
  }
  Seat();
  EXPECT_EQ(seat_->restarts(), 5U);
  worker().HangUp();
  Expect<WorkerSeat::Lost>();
  Expect<WorkerSeat::GivenUp>();
  clock_.Advance(1h);
  ExpectNothing();
  EXPECT_EQ(workers_.size(), 6U);
}

TEST_F(WorkerSeatTest, AWorkerThatCannotBeStartedIsGivenUpWithTheReason) {
  MakeOwn();
  spawn_fails_ = true;
  std::optional<WorkerSeat::Event> event;
  for (int i = 0; i < 100 && !event; ++i) {
    event = seat_->Next();
    clock_.Advance(100ms);
  }
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<WorkerSeat::GivenUp>(*event).detail, "no such file");
}

TEST_F(WorkerSeatTest, ALieIsAProtocolLossAndTheSocketIsClosed) {
  MakeOwn();
  Seat();
  protocol::Completed completed;
  completed.sequence = 9;
  worker().Say(completed);
  PlayedWorker& liar = worker();
  EXPECT_EQ(Expect<WorkerSeat::Lost>().reason, Reason::kProtocol);
  EXPECT_TRUE(liar.HungUp());
}

TEST_F(WorkerSeatTest, AStaleHeartbeatIsAHang) {
  MakeOwn();
  Seat();
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(100ms);
    worker().Beat();
    ExpectNothing();
  }
  clock_.Advance(749ms);
  ExpectNothing();
  clock_.Advance(1ms);
  EXPECT_EQ(Expect<WorkerSeat::Lost>().reason, Reason::kHung);
}

TEST_F(WorkerSeatTest, AnOverdueFrameIsAHangThoughTheHeartBeats) {
  MakeOwn();
  Seat();
  AttachRegion();
  ASSERT_TRUE(seat_->Submit(FrameSequence{1}, 0, 0));
  ExpectHangAfter(10s);
}

TEST_F(WorkerSeatTest, ARefusedPromptLeavesTheGraphAndWhatIsKnownOfIt) {
  MakeOwn();
  Seat();
  AttachRegion();
  for (std::uint64_t i = 1; i <= 10; ++i) ComputeAtOnce(FrameSequence{i}, 1);
  ASSERT_TRUE(seat_->SetPrompt(2, "{}"));
  worker().Hear<protocol::SetPrompt>();
  auto errors = protocol::MakeTextFd(R"({"error":1})");
  ASSERT_TRUE(errors);
  protocol::PromptRejected rejected;
  rejected.revision = 2;
  rejected.text_bytes = 11;
  worker().Say(rejected, std::array<int, 1>{errors->get()});
  Expect<WorkerClient::PromptRejected>();
  ASSERT_TRUE(seat_->Submit(FrameSequence{11}, 0, 0));
  ExpectHangAfter(1s);
}

TEST_F(WorkerSeatTest, AnAcceptedPromptIsAnotherGraph) {
  MakeOwn();
  Seat();
  AttachRegion();
  for (std::uint64_t i = 1; i <= 10; ++i) ComputeAtOnce(FrameSequence{i}, 1);
  ASSERT_TRUE(seat_->SetPrompt(2, "{}"));
  worker().Hear<protocol::SetPrompt>();
  protocol::PromptApplied applied;
  applied.revision = 2;
  applied.output_width = applied.output_height = 8;
  worker().Say(applied);
  Expect<WorkerClient::PromptApplied>();
  ASSERT_TRUE(seat_->Submit(FrameSequence{11}, 0, 0));
  ExpectHangAfter(10s);
}

TEST_F(WorkerSeatTest, ALentWorkerIsNeverRestarted) {
  MakeLent();
  ExpectNothing();
  seat_->Lend(NewWorker());
  Seat();
  worker().HangUp();
  EXPECT_EQ(Expect<WorkerSeat::Lost>().reason, Reason::kClosed);
  clock_.Advance(1h);
  ExpectNothing();
  EXPECT_FALSE(seat_->occupied());
  EXPECT_EQ(seat_->restarts(), 0U);
}

TEST_F(WorkerSeatTest, AnotherLentWorkerTakesTheSeatAtOnce) {
  MakeLent();
  seat_->Lend(NewWorker());
  Seat();
  PlayedWorker& first = worker();
  seat_->Lend(NewWorker());
  EXPECT_EQ(seat_->NextDeadline(), clock_.Now());
  EXPECT_EQ(Expect<WorkerSeat::Lost>().reason, Reason::kReplaced);
  EXPECT_TRUE(first.HungUp());
  Seat();
}

TEST_F(WorkerSeatTest, TheOwnersVerdictEmptiesTheSeat) {
  MakeLent();
  seat_->Lend(NewWorker());
  Seat();
  seat_->Drop(Reason::kFailed, "refused");
  const auto lost = Expect<WorkerSeat::Lost>();
  EXPECT_EQ(lost.reason, Reason::kFailed);
  EXPECT_EQ(lost.detail, "refused");
  EXPECT_TRUE(worker().HungUp());
}

TEST_F(WorkerSeatTest, AStopIsSaidAtTheEnd) {
  MakeLent();
  seat_->Lend(NewWorker());
  Seat();
  seat_.reset();
  worker().Hear<protocol::Stop>();
  EXPECT_TRUE(worker().HungUp());
}

}  // namespace
}  // namespace framelock::host
