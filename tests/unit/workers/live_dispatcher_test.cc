// SPDX-License-Identifier: Apache-2.0
#include "workers/main/live_dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/inline_loader.h"
#include "workers/nodes/builtin.h"
#include "workers/protocol/message_codec.h"

namespace framelock::worker {
namespace {

using testing::HasSubstr;
using Next = LiveDispatcher::Next;

constexpr const char* kInvert = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";

std::string Saying(const std::string& text) {
  return R"({"1": {"class_type": "LoadTensor", "inputs": {}},
             "2": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}},
             "3": {"class_type": "SaveTextTensor", "inputs": {"data": ")" +
         text + R"("}}})";
}

std::string Throwing(const std::string& what) {
  return R"({"1": {"class_type": "LoadTensor", "inputs": {}},
             "2": {"class_type": "TestThrow", "inputs": {"image": ["1", 0], "what": ")" +
         what + R"("}},
             "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";
}

// Throws where nodes of others might; "once" only the first time.
class ThrowNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    call.SetOutput(0, call.Image(0));
    if (call.use() == graph::FrameUse::kRehearsal) return {};
    if (call.Text(1) == "memory") throw std::bad_alloc();
    if (call.Text(1) == "number") throw 7;
    if (call.Text(1) == "once" && frames_++ > 0) return {};
    throw std::runtime_error("thrown by a node");
  }

 private:
  int frames_ = 0;
};

struct Counted {
  int rehearsals = 0;
  std::uint32_t width = 0;
  friend bool operator==(const Counted&, const Counted&) = default;
};

// Counts the frames that nobody sees.
class CountNode final : public graph::Node {
 public:
  explicit CountNode(Counted& counted) : counted_(counted) {}
  Status Run(graph::NodeCall& call) override {
    if (call.use() == graph::FrameUse::kRehearsal) ++counted_.rehearsals;
    counted_.width = call.Image(0).shape().width;
    call.SetOutput(0, call.Image(0));
    return {};
  }

 private:
  Counted& counted_;
};

class LiveDispatcherTest : public testing::Test {
 protected:
  void SetUp() override {
    auto registry = nodes::BuiltinNodes();
    ASSERT_TRUE(registry);
    registry_ = std::make_unique<graph::NodeRegistry>(std::move(*registry));
    ASSERT_TRUE(
        registry_->Add({.spec = {.class_type = "TestThrow",
                                 .inputs = {graph::ImageInput("image"), graph::StringInput("what")},
                                 .outputs = {{"IMAGE", "IMAGE"}}},
                        .make = [] { return std::make_unique<ThrowNode>(); }}));
    ASSERT_TRUE(registry_->Add({.spec = {.class_type = "TestCount",
                                         .inputs = {graph::ImageInput("image")},
                                         .outputs = {{"IMAGE", "IMAGE"}}},
                                .make = [this] { return std::make_unique<CountNode>(counted_); }}));
    loader_ = std::make_unique<InlineLoader>(*registry_);
    const auto send = [this](std::span<const std::byte> bytes, std::span<const int> fds) {
      PacketSocket::Packet packet{.bytes = {bytes.begin(), bytes.end()}};
      for (const int fd : fds) packet.fds.emplace_back(::dup(fd));
      answers_.push_back(std::move(packet));
      return Status();
    };
    dispatcher_ = std::make_unique<LiveDispatcher>(
        *loader_, LiveDispatcher::Outlet{
                      .send = send,
                      .offer =
                          [this, send](std::span<const std::byte> bytes, std::span<const int> fds) {
                            if (full_) return Status(Error{ErrorCode::kUnavailable, "full"});
                            return send(bytes, fds);
                          },
                      .use_control_page = [this](auto page) { page_ = std::move(page); }});
  }

  template <typename Message>
  Result<Next> Tell(const Message& message, UniqueFd fd = {}) {
    const auto bytes = protocol::Encode(message);
    PacketSocket::Packet packet{.bytes = {bytes.begin(), bytes.end()}};
    if (fd) packet.fds.push_back(std::move(fd));
    auto next = dispatcher_->Handle(std::move(packet));
    EXPECT_TRUE(dispatcher_->MoveOn());
    return next;
  }

  // The prompt that is being loaded is ready.
  void FinishLoading() {
    loader_->Finish();
    EXPECT_TRUE(dispatcher_->MoveOn());
  }

  template <typename Message>
  Message Answer() {
    if (answers_.empty()) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    auto packet = std::move(answers_.front());
    answers_.pop_front();
    auto message = protocol::Decode<Message>(packet.bytes);
    EXPECT_TRUE(message) << message.error().message;
    fds_ = std::move(packet.fds);
    return message ? *message : Message{};
  }

  void ExpectBroken(const Result<Next>& result, const std::string& text) {
    ASSERT_FALSE(result) << "accepted";
    EXPECT_EQ(result.error().code, ErrorCode::kProtocol);
    EXPECT_THAT(result.error().message, HasSubstr(text));
    EXPECT_TRUE(answers_.empty());
  }

  static UniqueFd Memory(std::uint64_t bytes) {
    auto memory = protocol::SharedMemory::Create("test", bytes);
    return UniqueFd(::dup(memory->fd()));
  }

  void Greet(std::uint32_t greeting = 77, std::uint64_t abilities = protocol::kTakesFrameText) {
    auto page = protocol::SharedMemory::Create("test", protocol::kControlPageBytes);
    reinterpret_cast<protocol::ControlPage*>(page->bytes().data())->host_abilities = abilities;
    ASSERT_TRUE(Tell(protocol::Hello{.greeting = greeting}, UniqueFd(::dup(page->fd()))));
    EXPECT_EQ(Answer<protocol::Welcome>().greeting, greeting);
  }

  Result<Next> TellPrompt(std::uint64_t revision, std::string_view text) {
    auto fd = protocol::MakeTextFd(text);
    return Tell(protocol::SetPrompt{.revision = revision, .text_bytes = text.size()},
                std::move(*fd));
  }

  void Apply(std::uint64_t revision, std::string_view text) {
    ASSERT_TRUE(TellPrompt(revision, text));
    EXPECT_EQ(Answer<protocol::PromptApplied>().revision, revision);
  }

  void Configure(std::string_view text) {
    auto fd = protocol::MakeTextFd(text);
    ASSERT_TRUE(Tell(protocol::Configure{.text_bytes = text.size()}, std::move(*fd)));
    EXPECT_TRUE(answers_.empty()) << "it has no answer";
  }

  std::string Rejection(std::uint64_t revision) {
    const auto rejected = Answer<protocol::PromptRejected>();
    EXPECT_EQ(rejected.revision, revision);
    if (fds_.size() != 1) return "no text";
    return *protocol::ReadTextFd(std::move(fds_[0]), rejected.text_bytes);
  }

  static protocol::Attach AttachMessage(std::uint64_t generation = 1) {
    return {.generation = generation,
            .region_bytes = 2 * 4096,
            .input_slot_bytes = 4096,
            .output_slot_bytes = 4096,
            .input_slots = 1,
            .output_slots = 1,
            .width = 32,
            .height = 24,
            .stride = 96};
  }

  void Attach(std::uint64_t generation = 1) {
    auto memory = protocol::SharedMemory::Create("test", 8192);
    ASSERT_TRUE(memory);
    region_ = std::move(*memory);
    ASSERT_TRUE(Tell(AttachMessage(generation), UniqueFd(::dup(region_.fd()))));
    const auto attached = Answer<protocol::Attached>();
    EXPECT_EQ(attached.generation, generation);
    EXPECT_EQ(attached.output_width, 32u);
    EXPECT_EQ(attached.output_height, 24u);
  }

  protocol::Completed Run(protocol::Submit submit) {
    EXPECT_TRUE(Tell(submit));
    const auto completed = Answer<protocol::Completed>();
    EXPECT_EQ(completed.sequence, submit.sequence);
    EXPECT_EQ(completed.generation, submit.generation);
    EXPECT_EQ(completed.output_slot, submit.output_slot);
    return completed;
  }

  void ExpectFailure(const protocol::Completed& completed, const std::string& text) {
    EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kFailed);
    EXPECT_EQ(completed.output_width, 0u);
    EXPECT_THAT(std::string(completed.error.data()), HasSubstr(text));
  }

  Counted counted_;
  std::unique_ptr<graph::NodeRegistry> registry_;
  std::unique_ptr<InlineLoader> loader_;
  std::unique_ptr<LiveDispatcher> dispatcher_;
  std::deque<PacketSocket::Packet> answers_;
  std::vector<UniqueFd> fds_;
  protocol::SharedMemory page_;
  bool full_ = false;  // for what may be lost
  protocol::SharedMemory region_;
};

TEST_F(LiveDispatcherTest, HelloComesFirst) {
  ExpectBroken(Tell(protocol::Stop{}), "before Hello");
  ExpectBroken(Tell(protocol::Submit{}), "before Hello");
  Greet();
  EXPECT_TRUE(page_.valid());
  EXPECT_EQ(*Tell(protocol::Stop{}), Next::kStop);
}

TEST_F(LiveDispatcherTest, AnotherVersionIsToldOurs) {
  const auto told = Tell(protocol::Hello{.version = 2, .greeting = 5}, Memory(4096));
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().message, HasSubstr("version 2 instead of 1"));
  EXPECT_EQ(Answer<protocol::Welcome>().version, 1u);
  EXPECT_FALSE(page_.valid());
}

TEST_F(LiveDispatcherTest, AControlPageOfAnotherSizeIsRefused) {
  ExpectBroken(Tell(protocol::Hello{}, Memory(8192)), "8192 bytes instead of 4096");
}

TEST_F(LiveDispatcherTest, MalformedMessagesBreakTheProtocol) {
  Greet();
  ExpectBroken(dispatcher_->Handle({.bytes = std::vector<std::byte>(3)}), "no type");
  ExpectBroken(dispatcher_->Handle({.bytes = std::vector<std::byte>(8)}), "unknown type 0");
  ExpectBroken(Tell(protocol::Completed{}), "unknown type 69");
  ExpectBroken(Tell(protocol::SetPrompt{}), "descriptors");
  ExpectBroken(Tell(protocol::Attach{}), "descriptors");
  ExpectBroken(Tell(protocol::Hello{}), "descriptors");
  ExpectBroken(Tell(protocol::Submit{}, Memory(4096)), "descriptors");
  ExpectBroken(Tell(protocol::Stop{}, Memory(4096)), "descriptors");
  const protocol::Submit submit;
  const auto bytes = protocol::Encode(submit);
  ExpectBroken(dispatcher_->Handle({.bytes = {bytes.begin(), bytes.end() - 1}}), "31 bytes");
}

TEST_F(LiveDispatcherTest, APromptThatCannotBeReadBreaksTheProtocol) {
  Greet();
  ExpectBroken(Tell(protocol::SetPrompt{.revision = 1, .text_bytes = 4096}, Memory(4096)),
               "sealed");
  auto text = protocol::MakeTextFd("{}");
  ExpectBroken(Tell(protocol::SetPrompt{.revision = 1, .text_bytes = 3}, std::move(*text)),
               "2 bytes instead of 3");
}

TEST_F(LiveDispatcherTest, ARejectedPromptLeavesTheOldOne) {
  Greet();
  Apply(4, kInvert);
  for (const auto* bad :
       {"", "[]", "nonsense", R"({"1":{"class_type":"NoSuchNode","inputs":{}}})"}) {
    const std::uint64_t revision = 5 + std::string_view(bad).size();
    ASSERT_TRUE(TellPrompt(revision, bad));
    const auto document = nlohmann::json::parse(Rejection(revision), nullptr, false);
    EXPECT_TRUE(document.contains("error") && document.contains("node_errors")) << document;
  }
  Attach();
  region_.bytes()[0] = std::byte{255};
  const auto completed = Run({.sequence = 1, .generation = 1});
  EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(completed.revision, 4u);
  EXPECT_EQ(region_.bytes()[4096], std::byte{0});
  EXPECT_EQ(region_.bytes()[4097], std::byte{255});
}

TEST_F(LiveDispatcherTest, SettingsAreAnAbilityThatTheControlPageNames) {
  Greet();
  const auto* page = reinterpret_cast<const protocol::ControlPage*>(page_.bytes().data());
  EXPECT_EQ(page->abilities, protocol::kTakesConfigure);
}

TEST_F(LiveDispatcherTest, WhatIsWrongWithSettingsIsToldByTheNextPrompt) {
  Greet();
  Configure(R"({"gpu_only":true,"colour":"red"})");
  Apply(1, kInvert);
  Configure(R"({"cwd":"nowhere"})");
  ASSERT_TRUE(TellPrompt(2, kInvert));
  const std::string why = Rejection(2);
  EXPECT_THAT(why, HasSubstr("bad_settings"));
  EXPECT_THAT(why, HasSubstr("cwd"));
  Configure("{");
  Greet(78);  // a new host knows nothing of it
  Apply(3, kInvert);
}

TEST_F(LiveDispatcherTest, APromptWithACwdHasItsNodesFromThere) {
  std::vector<std::string> folders;
  loader_->options().nodes_in =
      [&](const std::string& folder) -> Result<std::shared_ptr<const graph::NodeRegistry>> {
    folders.push_back(folder);
    if (folder == "/missing") return Error{ErrorCode::kNotFound, "it is not there"};
    auto registry = nodes::BuiltinNodes();
    if (!registry) return registry.error();
    return std::make_shared<const graph::NodeRegistry>(std::move(*registry));
  };
  Greet();
  Apply(1, kInvert);
  Configure(R"({"cwd":"/there"})");
  Apply(2, kInvert);
  Attach();
  EXPECT_EQ(Run({.sequence = 1, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
  Configure(R"({"cwd":"/missing"})");
  ASSERT_TRUE(TellPrompt(3, kInvert));
  EXPECT_THAT(Rejection(3), HasSubstr("cwd: it is not there"));
  EXPECT_EQ(Run({.sequence = 2, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
  Configure("{}");
  Apply(4, kInvert);
  EXPECT_EQ(folders, (std::vector<std::string>{"/there", "/missing"}));
}

TEST_F(LiveDispatcherTest, SettingsThatCannotBeReadBreakTheProtocol) {
  Greet();
  auto fd = protocol::MakeTextFd("{}");
  ExpectBroken(Tell(protocol::Configure{.text_bytes = 3}, std::move(*fd)), "text");
}

TEST_F(LiveDispatcherTest, AStaleRevisionIsRejected) {
  Greet();
  Apply(4, kInvert);
  ASSERT_TRUE(TellPrompt(4, kInvert));
  EXPECT_THAT(Rejection(4), HasSubstr("not newer than revision 4"));
  ASSERT_TRUE(TellPrompt(6, "nonsense"));
  Rejection(6);
  ASSERT_TRUE(TellPrompt(6, kInvert));
  EXPECT_THAT(Rejection(6), HasSubstr("stale_revision")) << "a rejected one is used up too";
}

TEST_F(LiveDispatcherTest, APromptTellsTheOutputSizeOnceAttached) {
  Greet();
  ASSERT_TRUE(TellPrompt(1, kInvert));
  EXPECT_EQ(Answer<protocol::PromptApplied>().output_width, 0u);
  Attach();
  ASSERT_TRUE(TellPrompt(2, kInvert));
  EXPECT_EQ(Answer<protocol::PromptApplied>().output_width, 32u);
}

TEST_F(LiveDispatcherTest, AttachingWithoutAPromptTellsTheInputSize) {
  Greet();
  Attach();
  ExpectFailure(Run({.sequence = 1, .generation = 1}), "prompt");
}

TEST_F(LiveDispatcherTest, ARefusedRegionIsGoneWithTheOldOne) {
  Greet();
  Apply(1, kInvert);
  Attach();
  auto wrong = AttachMessage(2);
  wrong.stride = 1;
  ASSERT_TRUE(Tell(wrong, Memory(8192)));
  EXPECT_EQ(Answer<protocol::Attached>().output_width, 0u);
  ExpectFailure(Run({.sequence = 1, .generation = 1}), "no region of generation 1");
  ASSERT_TRUE(Tell(AttachMessage(3), Memory(4096)));
  EXPECT_EQ(Answer<protocol::Attached>().output_width, 0u) << "the memfd has another size";
  ASSERT_TRUE(Tell(AttachMessage(1), Memory(8192)));
  EXPECT_EQ(Answer<protocol::Attached>().output_width, 0u) << "the generation was used";
  Attach(4);
}

TEST_F(LiveDispatcherTest, AFrameThatDoesNotExistFails) {
  Greet();
  Apply(1, kInvert);
  ExpectFailure(Run({.sequence = 1, .generation = 0}), "no region");
  Attach();
  ExpectFailure(Run({.sequence = 2, .generation = 2}), "no region of generation 2");
  ExpectFailure(Run({.sequence = 3, .generation = 1, .input_slot = 1}),
                "input slot 1 does not exist: the region has 0 to 0");
  ExpectFailure(Run({.sequence = 4, .generation = 1, .output_slot = 0xFFFFFFFF}),
                "output slot 4294967295 does not exist: the region has 0 to 0");
  EXPECT_EQ(Run({.sequence = 5, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
}

TEST_F(LiveDispatcherTest, WhateverANodeThrowsFailsItsFrameOnly) {
  Greet();
  Attach();
  Apply(1, Throwing("memory"));
  ExpectFailure(Run({.sequence = 1, .generation = 1}), "memory");
  Apply(2, Throwing("number"));
  ExpectFailure(Run({.sequence = 2, .generation = 1}), "exception");
  Apply(3, Throwing("once"));
  ExpectFailure(Run({.sequence = 3, .generation = 1}), "thrown by a node");
  EXPECT_EQ(Run({.sequence = 4, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
}

TEST_F(LiveDispatcherTest, ANewHostFindsThePromptButNoRegion) {
  Greet(1);
  Apply(9, kInvert);
  Attach(5);
  ASSERT_TRUE(Tell(protocol::Hello{.greeting = 2}, Memory(4096)));
  const auto welcome = Answer<protocol::Welcome>();
  EXPECT_EQ(welcome.greeting, 2u);
  EXPECT_EQ(welcome.revision, 9u);
  EXPECT_EQ(welcome.pid, ::getpid());
  ExpectFailure(Run({.sequence = 1, .generation = 5}), "no region");
  Attach(1);
  EXPECT_EQ(Run({.sequence = 1, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
}

TEST_F(LiveDispatcherTest, ANewHostMayUseARevisionThatAnEarlierOneHadRejected) {
  Greet(1);
  Apply(5, kInvert);
  ASSERT_TRUE(TellPrompt(6, "{"));
  Rejection(6);
  Greet(2);  // Welcome tells 5, so the new host counts on from there
  Apply(6, kInvert);
}

class BackgroundLoadTest : public LiveDispatcherTest {
 protected:
  void SetUp() override {
    LiveDispatcherTest::SetUp();
    Greet();
    Apply(1, kInvert);
    Attach();
    loader_->when = InlineLoader::When::kWhenTold;
  }

  // The next frame, made by this revision.
  void ExpectFrameOf(std::uint64_t revision) {
    const auto completed = Run({.sequence = ++sequence_, .generation = generation_});
    EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted) << completed.error.data();
    EXPECT_EQ(completed.revision, revision);
  }

  std::uint64_t sequence_ = 0, generation_ = 1;
};

TEST_F(BackgroundLoadTest, FramesGoOnUntilThePromptIsLoaded) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  for (int i = 0; i < 3; ++i) ExpectFrameOf(1);
  FinishLoading();
  const auto applied = Answer<protocol::PromptApplied>();
  EXPECT_EQ(applied.revision, 2U);
  EXPECT_EQ(applied.output_width, 32U);
  ExpectFrameOf(2);
  EXPECT_EQ(loader_->discarded, 1);
}

TEST_F(BackgroundLoadTest, ARefusedPromptLeavesTheFramesAlone) {
  ASSERT_TRUE(TellPrompt(2, "nonsense"));
  ExpectFrameOf(1);
  FinishLoading();
  Rejection(2);
  ExpectFrameOf(1);
}

TEST_F(BackgroundLoadTest, ItIsRehearsedWithFramesOfTheAttachedSize) {
  loader_->options().rehearsals.quick = std::chrono::milliseconds(0);
  const auto* rehearsed = R"({
    "1": {"class_type": "LoadTensor", "inputs": {}},
    "2": {"class_type": "TestCount", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";
  ASSERT_TRUE(TellPrompt(2, rehearsed));
  EXPECT_EQ(counted_, Counted());
  loader_->Finish();
  EXPECT_EQ(counted_, (Counted{.rehearsals = 5, .width = 32}));
  ASSERT_TRUE(dispatcher_->MoveOn());
  Answer<protocol::PromptApplied>();
  EXPECT_EQ(counted_.rehearsals, 5) << "not between two frames";
  loader_->options().rehearsals.quick = std::chrono::hours(1);
  ASSERT_TRUE(TellPrompt(3, rehearsed));
  loader_->Finish();
  EXPECT_EQ(counted_.rehearsals, 6) << "a quick one needs no more";
}

TEST_F(BackgroundLoadTest, ARegionThatCameMeanwhileIsRehearsedBeforeItTakesOver) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  auto attach = AttachMessage(2);
  attach.height = 12;
  ASSERT_TRUE(Tell(attach, Memory(8192)));
  EXPECT_EQ(Answer<protocol::Attached>().output_height, 12U) << "the running graph's";
  generation_ = 2;
  FinishLoading();
  EXPECT_TRUE(answers_.empty());
  ExpectFrameOf(1);
  ASSERT_TRUE(loader_->job());
  EXPECT_EQ(loader_->job()->frame->height, 12U);
  FinishLoading();
  EXPECT_EQ(Answer<protocol::PromptApplied>().output_height, 12U);
  ExpectFrameOf(2);
}

TEST_F(BackgroundLoadTest, ANewerPromptWaitsForTheOneThatIsLoaded) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  ASSERT_TRUE(TellPrompt(3, kInvert));
  EXPECT_EQ(loader_->job()->revision, 2U);
  FinishLoading();
  EXPECT_EQ(Answer<protocol::PromptApplied>().revision, 2U);
  EXPECT_EQ(loader_->job()->revision, 3U);
  ExpectFrameOf(2);
  FinishLoading();
  EXPECT_EQ(Answer<protocol::PromptApplied>().revision, 3U);
  ExpectFrameOf(3);
}

TEST_F(BackgroundLoadTest, TwoPromptsMayBeUnansweredAtMost) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  ASSERT_TRUE(TellPrompt(3, kInvert));
  ExpectBroken(TellPrompt(4, kInvert), "third prompt");
}

TEST_F(BackgroundLoadTest, WhatAnEarlierHostHadLoadedIsForgotten) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  ASSERT_TRUE(TellPrompt(3, kInvert));
  ASSERT_TRUE(Tell(protocol::Hello{.greeting = 9}, Memory(4096)));
  EXPECT_EQ(Answer<protocol::Welcome>().revision, 1U);
  ASSERT_TRUE(TellPrompt(2, kInvert));
  EXPECT_EQ(loader_->job()->revision, 2U);
  FinishLoading();
  EXPECT_TRUE(answers_.empty()) << "the new host asked for none of it";
  EXPECT_EQ(loader_->discarded, 1);
  FinishLoading();
  EXPECT_EQ(Answer<protocol::PromptApplied>().revision, 2U);
}

TEST_F(BackgroundLoadTest, AStopWaitsForNoLoad) {
  ASSERT_TRUE(TellPrompt(2, kInvert));
  EXPECT_EQ(*Tell(protocol::Stop{}), Next::kStop);
}

TEST_F(LiveDispatcherTest, AnAnswerThatCannotBeSentIsAnError) {
  LiveDispatcher mute(*loader_, {.send =
                                     [](auto, auto) {
                                       return Status(Error{ErrorCode::kClosed, "gone"});
                                     },
                                 .use_control_page = [](auto) {}});
  const protocol::Hello hello;
  const auto bytes = protocol::Encode(hello);
  PacketSocket::Packet packet{.bytes = {bytes.begin(), bytes.end()}};
  packet.fds.push_back(Memory(4096));
  EXPECT_EQ(mute.Handle(std::move(packet)).error().code, ErrorCode::kClosed);
}

TEST_F(LiveDispatcherTest, ATextGoesBeforeItsFrame) {
  Greet();
  Apply(1, Saying("a\\nb"));
  Attach();
  ASSERT_TRUE(Tell(protocol::Submit{.sequence = 5, .generation = 1}));
  const auto text = Answer<protocol::FrameText>();
  EXPECT_EQ(text.sequence, 5u);
  ASSERT_EQ(fds_.size(), 1u);
  EXPECT_EQ(*protocol::ReadTextFd(std::move(fds_[0]), text.text_bytes), "ab");
  EXPECT_EQ(Answer<protocol::Completed>().outcome, protocol::FrameOutcome::kCompleted);
  ExpectFailure(Run({.sequence = 6, .generation = 2}), "generation");
  EXPECT_TRUE(answers_.empty()) << "a frame that fails says nothing";
}

constexpr std::string_view kQuiet = R"({
    "1": {"class_type": "LoadAudioTensor", "inputs": {"buffer_size": 250}},
    "2": {"class_type": "SaveAudioTensor", "inputs": {"audio": ["1", 0]}}})";

TEST_F(LiveDispatcherTest, AudioIsTakenAsLongAsTheGraphWantsItAndGivenBack) {
  Greet();
  ASSERT_TRUE(TellPrompt(1, kQuiet));
  EXPECT_EQ(Answer<protocol::PromptApplied>().audio_ms, 250u);
  ASSERT_TRUE(Tell(AttachMessage(1), Memory(AttachMessage(1).region_bytes)));
  EXPECT_EQ(Answer<protocol::Attached>().audio_ms, 250u);
  const std::vector<std::int16_t> samples = {1000, -1000};
  const auto submit = [&](protocol::SubmitAudio message, std::size_t count) {
    return Tell(message, std::move(*protocol::MakeSamplesFd(std::span(samples).first(count))));
  };
  ASSERT_TRUE(submit({.sample_rate = 48'000, .sequence = 4, .samples = 2}, 2));
  auto completed = Answer<protocol::AudioCompleted>();
  EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(completed.sequence, 4u);
  EXPECT_EQ(completed.revision, 1u);
  ASSERT_EQ(completed.samples, 2u);
  EXPECT_EQ(*protocol::ReadSamples(std::move(fds_.at(0)), 2),
            (std::vector<std::int16_t>{999, -999}));
  // Another graph gives none.
  Apply(2, kInvert);
  ASSERT_TRUE(submit({.sample_rate = 48'000, .sequence = 5, .samples = 2}, 2));
  completed = Answer<protocol::AudioCompleted>();
  EXPECT_EQ(completed.samples, 0u);
  EXPECT_TRUE(fds_.empty());
  ASSERT_TRUE(submit({.sample_rate = 1, .sequence = 6, .samples = 2}, 2));
  completed = Answer<protocol::AudioCompleted>();
  EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kFailed);
  EXPECT_STREQ(completed.error.data(), "sample rate 1 is out of range");
  ExpectBroken(submit({.sample_rate = 48'000, .sequence = 7, .samples = 3}, 2), "bytes instead of");
  ExpectBroken(submit({.sample_rate = 48'000, .sequence = 7, .samples = 0}, 2), "out of range");
  ExpectBroken(Tell(protocol::SubmitAudio{}), "descriptors");
}

TEST_F(LiveDispatcherTest, ATextThatFindsNoRoomIsLostAndItsFrameIsNot) {
  Greet();
  Apply(1, Saying("a"));
  Attach();
  full_ = true;
  EXPECT_EQ(Run({.sequence = 5, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
  full_ = false;
  ASSERT_TRUE(Tell(protocol::Submit{.sequence = 6, .generation = 1}));
  EXPECT_EQ(Answer<protocol::FrameText>().sequence, 6u);
  Answer<protocol::Completed>();
}

TEST_F(LiveDispatcherTest, AHostThatTakesNoTextsIsSentNone) {
  Greet(77, 0);
  Apply(1, Saying("a"));
  Attach();
  EXPECT_EQ(Run({.sequence = 5, .generation = 1}).outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_TRUE(answers_.empty());
}

TEST_F(LiveDispatcherTest, OfALongTextOnlyTheLengthIsToldAndOfAnEmptyOneNothing) {
  Greet();
  Apply(1, Saying(std::string(protocol::kMaxFrameTextBytes + 1, 'x')));
  Attach();
  ASSERT_TRUE(Tell(protocol::Submit{.sequence = 5, .generation = 1}));
  EXPECT_EQ(Answer<protocol::FrameText>().text_bytes, protocol::kMaxFrameTextBytes + 1);
  EXPECT_TRUE(fds_.empty());
  Answer<protocol::Completed>();
  Apply(2, Saying(""));
  Run({.sequence = 6, .generation = 1});
}

}  // namespace
}  // namespace framelock::worker
