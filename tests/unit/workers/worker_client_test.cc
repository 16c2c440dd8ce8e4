// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>

#include "tests/support/fake_clock.h"
#include "workers/host/frame_region.h"
#include "workers/protocol/error_text.h"
#include "workers/protocol/message_codec.h"

namespace framelock::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

int OpenFds() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

// The far end, played by the test.
class ScriptedWorker {
 public:
  explicit ScriptedWorker(PacketSocket socket) : socket_(std::move(socket)) {}

  template <typename Message>
  void Say(const Message& message, std::span<const int> fds = {}) {
    ASSERT_TRUE(socket_.Send(protocol::Encode(message), fds));
  }
  void SayBytes(std::span<const std::byte> bytes) { ASSERT_TRUE(socket_.Send(bytes)); }

  template <typename Message>
  Message Hear(std::size_t fds = 0) {
    auto packet = socket_.Receive();
    EXPECT_TRUE(packet && packet->has_value()) << "nothing was said";
    if (!packet || !packet->has_value()) return {};
    EXPECT_EQ((*packet)->fds.size(), fds);
    last_fds_ = std::move((*packet)->fds);
    auto message = protocol::Decode<Message>((*packet)->bytes);
    EXPECT_TRUE(message);
    return message ? *message : Message{};
  }
  UniqueFd TakeFd() { return std::move(last_fds_.at(0)); }
  void HangUp() { socket_ = PacketSocket(); }

 private:
  PacketSocket socket_;
  std::vector<UniqueFd> last_fds_;
};

class WorkerClientTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pair = PacketSocket::CreatePair();
    ASSERT_TRUE(pair);
    worker_.emplace(std::move(pair->second));
    auto client = WorkerClient::Greet(std::move(pair->first), clock_);
    ASSERT_TRUE(client);
    client_ = std::move(*client);
    hello_ = worker_->Hear<protocol::Hello>(1);
    page_ = worker_->TakeFd();
    auto region = FrameRegion::Create({.width = 32,
                                       .height = 24,
                                       .input_slots = 2,
                                       .output_slots = 2,
                                       .output_slot_bytes = 8192});
    ASSERT_TRUE(region);
    region_ = *region;
  }

  // The next event, or a failure if there is none.
  template <typename Event>
  Event Expect() {
    auto event = client_->Receive();
    EXPECT_TRUE(event) << event.error().message;
    if (!event || !event->has_value() || !std::holds_alternative<Event>(**event)) {
      ADD_FAILURE() << "not the expected event";
      return {};
    }
    return std::get<Event>(**event);
  }

  void ExpectLie(const std::string& text) {
    auto event = client_->Receive();
    ASSERT_FALSE(event) << "accepted: " << text;
    EXPECT_EQ(event.error().code, ErrorCode::kProtocol);
    EXPECT_THAT(event.error().message, HasSubstr(text));
    EXPECT_FALSE(client_->ready());
    EXPECT_FALSE(client_->Receive()) << "gone for good";
    EXPECT_FALSE(client_->Stop());
  }

  [[nodiscard]] protocol::Welcome Welcome(std::uint64_t revision = 0) const {
    protocol::Welcome welcome;
    welcome.pid = 4711;
    welcome.greeting = hello_.greeting;
    welcome.revision = revision;
    return welcome;
  }

  void Greeted() {
    worker_->Say(Welcome());
    EXPECT_EQ(Expect<WorkerClient::Welcomed>().pid, 4711);
  }

  void Prompted(std::uint64_t revision) {
    ASSERT_TRUE(client_->SetPrompt(revision, "{}"));
    worker_->Hear<protocol::SetPrompt>(1);
    protocol::PromptApplied applied;
    applied.revision = revision;
    worker_->Say(applied);
    EXPECT_EQ(Expect<WorkerClient::PromptApplied>().revision, revision);
  }

  void Attached() {
    ASSERT_TRUE(client_->Attach(region_->layout(), region_->memory()));
    worker_->Hear<protocol::Attach>(1);
    protocol::Attached attached;
    attached.generation = 1;
    attached.output_width = 32;
    attached.output_height = 24;
    worker_->Say(attached);
    EXPECT_EQ(Expect<WorkerClient::Attached>().output_width, 32u);
  }

  // Frame 5 in slots 1 and 0 is with the worker, prompt 3.
  void Submitted() {
    Greeted();
    Prompted(3);
    Attached();
    ASSERT_TRUE(client_->Submit({5}, 1, 0));
    const auto submit = worker_->Hear<protocol::Submit>();
    EXPECT_EQ(submit.sequence, 5u);
    EXPECT_EQ(submit.generation, 1u);
    EXPECT_EQ(submit.input_slot, 1u);
  }

  static protocol::Completed GoodAnswer() {
    protocol::Completed completed;
    completed.sequence = 5;
    completed.generation = 1;
    completed.revision = 3;
    completed.output_slot = 0;
    completed.output_width = 32;
    completed.output_height = 24;
    return completed;
  }

  FakeClock clock_;
  std::unique_ptr<WorkerClient> client_;
  std::optional<ScriptedWorker> worker_;
  protocol::Hello hello_;
  UniqueFd page_;
  std::shared_ptr<FrameRegion> region_;
};

TEST_F(WorkerClientTest, GreetsAndIsWelcomed) {
  EXPECT_EQ(hello_.version, protocol::kVersion);
  EXPECT_FALSE(client_->ready());
  EXPECT_EQ(client_->SetPrompt(1, "{}").error().code, ErrorCode::kUnavailable);
  auto nothing = client_->Receive();
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  worker_->Say(Welcome(9));
  EXPECT_EQ(Expect<WorkerClient::Welcomed>().revision, 9u);
  EXPECT_TRUE(client_->ready());
  EXPECT_EQ(client_->pid(), 4711);
  EXPECT_EQ(client_->revision(), 9u);
}

TEST_F(WorkerClientTest, WhatWasMeantForAnEarlierHostIsPassedOver) {
  protocol::Welcome stale = Welcome(8);
  stale.greeting ^= 1;
  worker_->Say(stale);
  worker_->Say(GoodAnswer());
  worker_->Say(protocol::Attached{});
  const int before = OpenFds();
  const std::array<int, 1> fds{STDIN_FILENO};
  worker_->Say(protocol::PromptRejected{}, fds);
  worker_->Say(Welcome(9));
  EXPECT_EQ(Expect<WorkerClient::Welcomed>().revision, 9u);
  EXPECT_EQ(OpenFds(), before);
}

TEST_F(WorkerClientTest, EndlessTalkBeforeWelcomeIsALie) {
  for (int i = 0; i < 1024; ++i) {
    worker_->Say(protocol::Attached{});
    auto passed_over = client_->Receive();
    ASSERT_TRUE(passed_over && !passed_over->has_value());
  }
  worker_->Say(protocol::Attached{});
  ExpectLie("Welcome");
}

TEST_F(WorkerClientTest, BadWelcomes) {
  auto old = Welcome();
  old.version = 0;
  worker_->Say(old);
  ExpectLie("version 0 instead of 1");
}

TEST_F(WorkerClientTest, AWelcomeNeedsAPid) {
  auto nobody = Welcome();
  nobody.pid = 0;
  worker_->Say(nobody);
  ExpectLie("pid");
}

TEST_F(WorkerClientTest, ASecondWelcomeIsALie) {
  Greeted();
  worker_->Say(Welcome());
  ExpectLie("unexpected");
}

TEST_F(WorkerClientTest, ThePromptTravelsWholeAndItsAnswerComesBack) {
  Greeted();
  const std::string prompt(200'000, 'x');
  ASSERT_TRUE(client_->SetPrompt(7, prompt));
  EXPECT_EQ(client_->SetPrompt(8, "{}").error().code, ErrorCode::kUnavailable);
  const auto message = worker_->Hear<protocol::SetPrompt>(1);
  EXPECT_EQ(message.revision, 7u);
  EXPECT_EQ(*protocol::ReadTextFd(worker_->TakeFd(), message.text_bytes), prompt);
  EXPECT_EQ(client_->revision(), 0u) << "sent is not applied";
  auto errors = protocol::MakeTextFd(R"({"error":1})");
  const std::array<int, 1> fds{errors->get()};
  protocol::PromptRejected rejected;
  rejected.revision = 7;
  rejected.text_bytes = 11;
  worker_->Say(rejected, fds);
  const auto event = Expect<WorkerClient::PromptRejected>();
  EXPECT_EQ(event.errors_json, R"({"error":1})");
  EXPECT_EQ(client_->revision(), 0u);
  EXPECT_EQ(client_->SetPrompt(7, "{}").error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(client_->SetPrompt(8, "{}"));
}

TEST_F(WorkerClientTest, AnUnaskedPromptAnswerIsALie) {
  Greeted();
  worker_->Say(protocol::PromptApplied{});
  ExpectLie("was not asked for");
}

TEST_F(WorkerClientTest, AnotherRevisionsAnswerIsALie) {
  Greeted();
  ASSERT_TRUE(client_->SetPrompt(7, "{}"));
  protocol::PromptApplied applied;
  applied.revision = 6;
  worker_->Say(applied);
  ExpectLie("revision 6");
}

TEST_F(WorkerClientTest, ARejectionWithoutItsTextIsALie) {
  Greeted();
  ASSERT_TRUE(client_->SetPrompt(7, "{}"));
  protocol::PromptRejected rejected;
  rejected.revision = 7;
  worker_->Say(rejected);
  ExpectLie("descriptors");
}

TEST_F(WorkerClientTest, ARejectionWithAnUnsealedTextIsALie) {
  Greeted();
  ASSERT_TRUE(client_->SetPrompt(7, "{}"));
  protocol::PromptRejected rejected;
  rejected.revision = 7;
  rejected.text_bytes = 4096;
  const std::array<int, 1> fds{page_.get()};
  worker_->Say(rejected, fds);
  ExpectLie("sealed");
}

TEST_F(WorkerClientTest, ARefusedRegionIsNotAttached) {
  Greeted();
  ASSERT_TRUE(client_->Attach(region_->layout(), region_->memory()));
  EXPECT_EQ(client_->Attach(region_->layout(), region_->memory()).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(client_->Submit({1}, 0, 0).error().code, ErrorCode::kUnavailable) << "not answered";
  protocol::Attached refused;
  refused.generation = 1;
  worker_->Say(refused);
  EXPECT_EQ(Expect<WorkerClient::Attached>().output_width, 0u);
  EXPECT_EQ(client_->Submit({1}, 0, 0).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(client_->Attach(region_->layout(), region_->memory()).error().code,
            ErrorCode::kInvalidArgument)
      << "the generation was used";
}

TEST_F(WorkerClientTest, LiesAboutAttaching) {
  Greeted();
  ASSERT_TRUE(client_->Attach(region_->layout(), region_->memory()));
  protocol::Attached attached;
  attached.generation = 2;
  attached.output_width = 32;
  attached.output_height = 24;
  worker_->Say(attached);
  ExpectLie("generation 2");
}

TEST_F(WorkerClientTest, AnOutputSizeOutOfRangeIsALie) {
  Greeted();
  ASSERT_TRUE(client_->Attach(region_->layout(), region_->memory()));
  protocol::Attached attached;
  attached.generation = 1;
  attached.output_width = 32;
  attached.output_height = protocol::kMaxDimension + 1;
  worker_->Say(attached);
  ExpectLie("attached: output size 32x16385 is out of range, 1x1 to 16384x16384");
}

TEST_F(WorkerClientTest, AFrameGoesRound) {
  Submitted();
  EXPECT_EQ(client_->frames_in_flight(), 1u);
  auto newer = FrameRegion::Create({.generation = 2, .width = 32, .height = 24});
  EXPECT_EQ(client_->Attach((*newer)->layout(), (*newer)->memory()).error().code,
            ErrorCode::kUnavailable)
      << "a frame is in flight";
  worker_->Say(GoodAnswer());
  const auto completed = Expect<protocol::Completed>();
  EXPECT_EQ(completed.sequence, 5u);
  EXPECT_EQ(client_->frames_in_flight(), 0u);
  EXPECT_TRUE(client_->Attach((*newer)->layout(), (*newer)->memory()));
}

TEST_F(WorkerClientTest, NearSideMistakesAreRefused) {
  Submitted();
  EXPECT_EQ(client_->Submit({5}, 0, 1).error().code, ErrorCode::kInvalidArgument);
  const Error input = client_->Submit({6}, 2, 0).error();
  const Error output = client_->Submit({6}, 0, 7).error();
  EXPECT_EQ(input.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(output.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(input.message, "input slot 2 does not exist: the attached region has 0 to 1");
  EXPECT_EQ(output.message, "output slot 7 does not exist: the attached region has 0 to 1");
  EXPECT_EQ(client_->frames_in_flight(), 1u);
}

TEST_F(WorkerClientTest, AFailedFrameBringsItsText) {
  Submitted();
  auto failed = GoodAnswer();
  failed.outcome = protocol::FrameOutcome::kFailed;
  failed.output_width = 0;
  failed.output_height = 0;
  failed.error = {'n', 'o', '\n', '\xff'};
  worker_->Say(failed);
  EXPECT_EQ(std::string(Expect<protocol::Completed>().error.data()), "no??");
}

TEST_F(WorkerClientTest, ATooLargeOutputIsReportedWithItsSize) {
  Submitted();
  auto large = GoodAnswer();
  large.outcome = protocol::FrameOutcome::kOutputTooLarge;
  large.output_width = 64;
  large.output_height = 48;
  worker_->Say(large);
  EXPECT_EQ(Expect<protocol::Completed>().output_height, 48u);
}

TEST_F(WorkerClientTest, ARepeatedAnswerIsALie) {
  Submitted();
  worker_->Say(GoodAnswer());
  worker_->Say(GoodAnswer());
  Expect<protocol::Completed>();
  ExpectLie("answered before");
}

TEST_F(WorkerClientTest, EveryFieldOfAnAnswerIsChecked) {
  struct Row {
    const char* text;
    std::function<void(protocol::Completed&)> spoil;
  };
  using protocol::Completed;
  using protocol::FrameOutcome;
  const std::vector<Row> rows = {
      {"sequence 6", [](Completed& c) { c.sequence = 6; }},
      {"sequence 0", [](Completed& c) { c.sequence = 0; }},
      {"generation", [](Completed& c) { c.generation = 0; }},
      {"generation", [](Completed& c) { c.generation = 2; }},
      {"output slot", [](Completed& c) { c.output_slot = 1; }},
      {"output slot", [](Completed& c) { c.output_slot = 0xFFFFFFFF; }},
      {"revision 2", [](Completed& c) { c.revision = 2; }},
      {"revision 4", [](Completed& c) { c.revision = 4; }},
      {"outcome", [](Completed& c) { c.outcome = static_cast<FrameOutcome>(0); }},
      {"outcome", [](Completed& c) { c.outcome = static_cast<FrameOutcome>(9); }},
      {"out of range", [](Completed& c) { c.output_width = 0; }},
      {"out of range", [](Completed& c) { c.output_height = 16385; }},
      {"out of range", [](Completed& c) { c.output_width = 0xFFFFFFFF; }},
      {"contradicts", [](Completed& c) { c.output_width = c.output_height = 16384; }},
      {"contradicts", [](Completed& c) { c.output_height = 86; }},
      {"contradicts", [](Completed& c) { c.outcome = FrameOutcome::kOutputTooLarge; }},
      {"zero-terminated",
       [](Completed& c) {
         c.outcome = FrameOutcome::kFailed;
         c.error.fill('x');
       }},
  };
  for (const auto& row : rows) {
    SetUp();
    Submitted();
    auto answer = GoodAnswer();
    row.spoil(answer);
    worker_->Say(answer);
    ExpectLie(row.text);
  }
}

TEST_F(WorkerClientTest, TheLargestOutputThatFitsIsAccepted) {
  Submitted();
  auto answer = GoodAnswer();
  answer.output_height = 85;  // 85 rows of 96 bytes: 8160 of 8192
  worker_->Say(answer);
  EXPECT_EQ(Expect<protocol::Completed>().output_height, 85u);
}

TEST_F(WorkerClientTest, WrongSizesTypesAndDescriptorsAreLies) {
  const auto expect = [this](const char* text, const std::function<void()>& say) {
    SetUp();
    Submitted();
    say();
    ExpectLie(text);
  };
  const auto answer = GoodAnswer();
  expect("255 bytes", [&] { worker_->SayBytes(protocol::Encode(answer).first(255)); });
  expect("without a type", [&] { worker_->SayBytes(protocol::Encode(answer).first(3)); });
  expect("type 2", [&] { worker_->Say(protocol::SetPrompt{}); });
  expect("type 1000", [&] {
    protocol::Stop odd;
    odd.type = static_cast<protocol::MessageType>(1000);
    worker_->Say(odd);
  });
  const int before = OpenFds();
  expect("descriptors", [&] {
    const std::array<int, 2> fds{STDIN_FILENO, STDIN_FILENO};
    worker_->Say(answer, fds);
  });
  EXPECT_EQ(OpenFds(), before) << "what came along was closed";
}

TEST_F(WorkerClientTest, ATextComesBeforeItsFrame) {
  Submitted();
  auto fd = protocol::MakeTextFd("hello");
  ASSERT_TRUE(fd);
  const std::array<int, 1> fds{fd->get()};
  worker_->Say(protocol::FrameText{.sequence = 5, .text_bytes = 5}, fds);
  const auto text = Expect<WorkerClient::FrameText>();
  EXPECT_EQ(text.sequence, 5u);
  EXPECT_FALSE(text.of_sound);
  EXPECT_EQ(text.text, "hello");
  const protocol::FrameText too_long{.sequence = 5, .text_bytes = protocol::kMaxFrameTextBytes + 1};
  worker_->Say(too_long);
  const auto told = Expect<WorkerClient::FrameText>();
  EXPECT_EQ(told.text_bytes, protocol::kMaxFrameTextBytes + 1);
  EXPECT_EQ(told.text, "");
  worker_->Say(protocol::FrameText{.of_sound = 1, .sequence = 5, .text_bytes = 5}, fds);
  EXPECT_TRUE(Expect<WorkerClient::FrameText>().of_sound);
  worker_->Say(GoodAnswer());
  Expect<protocol::Completed>();
  worker_->Say(too_long);
  ExpectLie("sequence 5 is unknown or was answered before");
}

TEST_F(WorkerClientTest, EndlessTextsAreALie) {
  Submitted();
  const protocol::FrameText too_long{.sequence = 5, .text_bytes = protocol::kMaxFrameTextBytes + 1};
  for (std::uint32_t i = 0; i < protocol::kMaxFrameTexts; ++i) {
    worker_->Say(too_long);
    Expect<WorkerClient::FrameText>();
  }
  worker_->Say(too_long);
  ExpectLie("more than 64 of one frame");
}

TEST_F(WorkerClientTest, ATextNeedsItsDescriptor) {
  Submitted();
  worker_->Say(protocol::FrameText{.sequence = 5, .text_bytes = 5});
  ExpectLie("wrong number of descriptors");
}

TEST_F(WorkerClientTest, ATextIsAsLongAsItSays) {
  Submitted();
  auto fd = protocol::MakeTextFd("hello");
  ASSERT_TRUE(fd);
  const std::array<int, 1> fds{fd->get()};
  worker_->Say(protocol::FrameText{.sequence = 5, .text_bytes = 6}, fds);
  ExpectLie("text has 5 bytes instead of 6");
}

TEST_F(WorkerClientTest, AClosedSocketIsNotALie) {
  Submitted();
  worker_->Say(GoodAnswer());
  worker_->HangUp();
  EXPECT_FALSE(client_->Submit({6}, 0, 1));
  Expect<protocol::Completed>();
  auto gone = client_->Receive();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kClosed);
  EXPECT_FALSE(client_->ready());
}

TEST_F(WorkerClientTest, TheHeartbeatAges) {
  auto page = protocol::SharedMemory::Map(std::move(page_), protocol::kControlPageBytes);
  ASSERT_TRUE(page);
  auto* control = reinterpret_cast<protocol::ControlPage*>(page->bytes().data());
  clock_.Advance(20s);
  Greeted();
  EXPECT_EQ(client_->HeartbeatAge(), 0s) << "counts from Welcome";
  clock_.Advance(300ms);
  EXPECT_EQ(client_->HeartbeatAge(), 300ms);
  std::atomic_ref(control->heartbeat).fetch_add(1);
  EXPECT_EQ(client_->HeartbeatAge(), 0s);
  clock_.Advance(100ms);
  EXPECT_EQ(client_->HeartbeatAge(), 100ms);
  std::atomic_ref(control->heartbeat).store(0);
  EXPECT_EQ(client_->HeartbeatAge(), 0s) << "any change counts, forwards or not";
}

TEST_F(WorkerClientTest, ThePageIsSealedAgainstTheWorker) {
  EXPECT_NE(::ftruncate(page_.get(), 0), 0);
}

TEST_F(WorkerClientTest, TheSocketCanBeGivenAway) {
  Submitted();
  auto socket = client_->Release();
  EXPECT_TRUE(socket.valid());
  EXPECT_FALSE(client_->ready());
  EXPECT_FALSE(client_->Receive());
  auto next = WorkerClient::Greet(std::move(socket), clock_);
  ASSERT_TRUE(next);
  worker_->Say(GoodAnswer());  // to the host before
  hello_ = worker_->Hear<protocol::Hello>(1);
  worker_->Say(Welcome(3));
  client_ = std::move(*next);
  EXPECT_EQ(Expect<WorkerClient::Welcomed>().revision, 3u);
}

TEST_F(WorkerClientTest, SettingsGoBeforeTheirPromptAndOnlyOnce) {
  auto page = protocol::SharedMemory::Map(std::move(page_), protocol::kControlPageBytes);
  ASSERT_TRUE(page);
  reinterpret_cast<protocol::ControlPage*>(page->bytes().data())->abilities =
      protocol::kTakesConfigure;
  worker_->Say(Welcome());
  Expect<WorkerClient::Welcomed>();
  EXPECT_TRUE(client_->Takes(R"({"gpu_only":true})"));
  const auto apply = [&](std::uint64_t revision) {
    protocol::PromptApplied applied;
    applied.revision = revision;
    worker_->Say(applied);
    Expect<WorkerClient::PromptApplied>();
  };
  ASSERT_TRUE(client_->SetPrompt(1, "{}"));
  worker_->Hear<protocol::SetPrompt>(1);
  apply(1);
  ASSERT_TRUE(client_->SetPrompt(2, "{}", R"({"gpu_only":true})"));
  const auto configure = worker_->Hear<protocol::Configure>(1);
  EXPECT_EQ(*protocol::ReadTextFd(worker_->TakeFd(), configure.text_bytes), R"({"gpu_only":true})");
  worker_->Hear<protocol::SetPrompt>(1);
  apply(2);
  ASSERT_TRUE(client_->SetPrompt(3, "{}", R"({"gpu_only":true})"));
  worker_->Hear<protocol::SetPrompt>(1);
  apply(3);
  ASSERT_TRUE(client_->SetPrompt(4, "{}"));
  worker_->Hear<protocol::Configure>(1);
  worker_->Hear<protocol::SetPrompt>(1);
}

TEST_F(WorkerClientTest, AWorkerThatTakesNoSettingsIsSentNone) {
  worker_->Say(Welcome());
  Expect<WorkerClient::Welcomed>();
  EXPECT_FALSE(client_->Takes(R"({"gpu_only":true})"));
  const Status refused = client_->SetPrompt(1, "{}", R"({"gpu_only":true})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(client_->SetPrompt(1, "{}"));
  worker_->Hear<protocol::SetPrompt>(1);  // and nothing before it
}

class WorkerAudioTest : public WorkerClientTest {
 protected:
  void SetUp() override {
    WorkerClientTest::SetUp();
    Greeted();
    Prompted(3);
    ASSERT_TRUE(client_->SubmitAudio(7, 48'000, std::vector<std::int16_t>{1, 2, 3}));
    const auto submit = worker_->Hear<protocol::SubmitAudio>(1);
    EXPECT_EQ(submit.sequence, 7u);
    EXPECT_EQ(submit.sample_rate, 48'000u);
    EXPECT_EQ(*protocol::ReadSamples(worker_->TakeFd(), submit.samples),
              (std::vector<std::int16_t>{1, 2, 3}));
  }
  void Answer(protocol::AudioCompleted answer, const std::vector<std::int16_t>& samples = {}) {
    if (samples.empty()) return worker_->Say(answer);
    const auto fd = protocol::MakeSamplesFd(samples);
    worker_->Say(answer, std::array<int, 1>{fd->get()});
  }
  static protocol::AudioCompleted Good(std::uint32_t samples) {
    protocol::AudioCompleted answer;
    answer.sequence = 7;
    answer.revision = 3;
    answer.samples = samples;
    return answer;
  }
};

TEST_F(WorkerAudioTest, IsAnsweredOnce) {
  Answer(Good(3), {4, 5, 6});
  const auto completed = Expect<WorkerClient::AudioCompleted>();
  EXPECT_EQ(completed.sequence, 7u);
  EXPECT_EQ(completed.samples, (std::vector<std::int16_t>{4, 5, 6}));
  EXPECT_FALSE(completed.error);
  Answer(Good(3), {4, 5, 6});
  ExpectLie("sequence 7 is unknown or was answered before");
}

TEST_F(WorkerAudioTest, MayFail) {
  protocol::AudioCompleted answer = Good(0);
  answer.outcome = protocol::FrameOutcome::kFailed;
  protocol::StoreErrorText("node 2", answer.error);
  Answer(answer);
  EXPECT_EQ(Expect<WorkerClient::AudioCompleted>().error, "node 2");
}

TEST_F(WorkerAudioTest, IsNotSubmittedWithoutEnd) {
  const std::vector<std::int16_t> samples(1);
  EXPECT_EQ(client_->SubmitAudio(7, 48'000, samples).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(client_->SubmitAudio(8, 48'000, {}).error().code, ErrorCode::kInvalidArgument);
  for (std::uint64_t i = 8; i < 11; ++i) ASSERT_TRUE(client_->SubmitAudio(i, 48'000, samples));
  EXPECT_EQ(client_->SubmitAudio(11, 48'000, samples).error().code, ErrorCode::kUnavailable);
}

TEST_F(WorkerAudioTest, OfAnotherLengthIsALie) {
  Answer(Good(2), {4, 5});
  ExpectLie("2 samples of 3");
}

TEST_F(WorkerAudioTest, OfAnotherPromptIsALie) {
  protocol::AudioCompleted answer = Good(0);
  answer.revision = 2;
  Answer(answer);
  ExpectLie("revision 2 instead of 3");
}

TEST_F(WorkerAudioTest, WithoutItsSamplesIsALie) {
  Answer(Good(3));
  ExpectLie("wrong number of descriptors");
}

TEST_F(WorkerAudioTest, WithFewerSamplesThanItSaysIsALie) {
  Answer(Good(3), {4, 5});
  ExpectLie("bytes instead of");
}

TEST_F(WorkerAudioTest, WithAnUnknownOutcomeIsALie) {
  protocol::AudioCompleted answer = Good(0);
  answer.outcome = protocol::FrameOutcome::kOutputTooLarge;
  Answer(answer);
  ExpectLie("outcome is unknown");
}

}  // namespace
}  // namespace framelock::host
