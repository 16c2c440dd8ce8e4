// SPDX-License-Identifier: Apache-2.0
#include "workers/main/host_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "workers/nodes/builtin.h"
#include "workers/protocol/message_codec.h"

namespace framelock::worker {
namespace {

using testing::HasSubstr;
using Turn = HostTable::Turn;

constexpr const char* kInvert = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";
constexpr const char* kKeep = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}}})";

// Loads for as long as the test wants.
constexpr const char* kHold = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "2": {"class_type": "TestHold", "inputs": {"image": ["1", 0]}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";

constexpr const char* kLeaving = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "2": {"class_type": "TestLeaving", "inputs": {"image": ["1", 0]}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}})";

constexpr const char* kHoldAndLeave = R"({
  "1": {"class_type": "LoadTensor", "inputs": {}},
  "2": {"class_type": "TestLeaving", "inputs": {"image": ["1", 0]}},
  "4": {"class_type": "TestHold", "inputs": {"image": ["2", 0]}},
  "3": {"class_type": "SaveTensor", "inputs": {"images": ["4", 0]}}})";

class KeepNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    call.SetOutput(0, call.Image(0));
    return {};
  }
};

// Takes as long as the test wants to go, and tells which thread destroyed it.
class LeavingNode final : public graph::Node {
 public:
  LeavingNode(std::shared_future<void> gate, std::promise<std::thread::id>& left)
      : gate_(std::move(gate)), left_(left) {}
  LeavingNode(const LeavingNode&) = delete;
  LeavingNode& operator=(const LeavingNode&) = delete;
  ~LeavingNode() override {
    gate_.wait();
    left_.set_value(std::this_thread::get_id());
  }
  Status Run(graph::NodeCall& call) override {
    call.SetOutput(0, call.Image(0));
    return {};
  }

 private:
  std::shared_future<void> gate_;
  std::promise<std::thread::id>& left_;
};

// The near end of one conversation.
class Near {
 public:
  explicit Near(PacketSocket near) : socket(std::move(near)) {}

  template <typename Message>
  void Tell(const Message& message, int fd = -1) const {
    const std::array<int, 1> fds{fd};
    EXPECT_TRUE(socket.Send(protocol::Encode(message), std::span(fds).first(fd >= 0 ? 1 : 0)));
  }

  template <typename Message>
  Message Answer() const {
    auto packet = socket.Receive();
    EXPECT_TRUE(packet && *packet) << "no answer";
    if (!packet || !*packet) return {};
    auto message = protocol::Decode<Message>((*packet)->bytes);
    EXPECT_TRUE(message) << message.error().message;
    return message ? *message : Message{};
  }

  [[nodiscard]] bool silent() const {
    const auto packet = socket.Receive();
    return packet && !*packet;
  }
  // The heartbeat's thread, which watches the far end, lets go of it when it wakes.
  [[nodiscard]] bool closed() const {
    pollfd readable{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&readable, 1, 10'000), 1);
    const auto packet = socket.Receive();
    return !packet && packet.error().code == ErrorCode::kClosed;
  }

  void Hello() {
    page = std::move(*protocol::SharedMemory::Create("test", protocol::kControlPageBytes));
    Tell(protocol::Hello{.greeting = 5}, page.fd());
  }
  void SetPrompt(std::uint64_t revision, const std::string& text) const {
    const auto fd = protocol::MakeTextFd(text);
    Tell(protocol::SetPrompt{.revision = revision, .text_bytes = text.size()}, fd->get());
  }
  void Attach(std::byte fill) {
    region = std::move(*protocol::SharedMemory::Create("test", 8192));
    std::memset(region.bytes().data(), static_cast<int>(fill), 4096);
    Tell(protocol::Attach{.generation = 1,
                          .region_bytes = 8192,
                          .input_slot_bytes = 4096,
                          .output_slot_bytes = 4096,
                          .input_slots = 1,
                          .output_slots = 1,
                          .width = 32,
                          .height = 24,
                          .stride = 96},
         region.fd());
  }
  void Submit(std::uint64_t sequence) const {
    Tell(protocol::Submit{.sequence = sequence, .generation = 1});
  }
  [[nodiscard]] std::byte output() const { return region.bytes()[4096]; }

  PacketSocket socket;
  protocol::SharedMemory page, region;
};

class HostTableTest : public testing::Test {
 protected:
  void SetUp() override {
    auto registry = nodes::BuiltinNodes();
    ASSERT_TRUE(registry);
    registry_ = std::make_unique<graph::NodeRegistry>(std::move(*registry));
    ASSERT_TRUE(registry_->Add({.spec = {.class_type = "TestHold",
                                         .inputs = {graph::ImageInput("image")},
                                         .outputs = {{"IMAGE", "IMAGE"}}},
                                .make = [gate = opened_] {
                                  gate.wait();
                                  return std::make_unique<KeepNode>();
                                }}));
    ASSERT_TRUE(
        registry_->Add({.spec = {.class_type = "TestLeaving",
                                 .inputs = {graph::ImageInput("image")},
                                 .outputs = {{"IMAGE", "IMAGE"}}},
                        .make = [this] { return std::make_unique<LeavingNode>(opened_, left_); }}));
    auto heartbeat = Heartbeat::Start({});
    ASSERT_TRUE(heartbeat);
    heartbeat_ = std::move(*heartbeat);
    table_ = std::make_unique<HostTable>(*registry_, *heartbeat_);
    first_ = Join();
  }

  // A host with a conversation of its own.
  std::unique_ptr<Near> Join() {
    auto pair = PacketSocket::CreatePair();
    EXPECT_TRUE(pair && table_->Add(std::move(pair->second)));
    return std::make_unique<Near>(std::move(pair->first));
  }

  // Until nothing is left to do here and on the threads that load prompts and discard old ones: one
  // that idled before a turn may have been given something by it.
  void ServeAll() {
    for (bool more = true; more; std::this_thread::yield()) {
      more = table_->loading();
      more |= table_->Serve() == Turn::kServed;
      more |= table_->loading();
    }
  }

  // Greeted, with a prompt and a region full of `fill`.
  void Ready(Near& host, const std::string& prompt, std::byte fill) {
    host.Hello();
    host.SetPrompt(1, prompt);
    ServeAll();
    EXPECT_EQ(host.Answer<protocol::Welcome>().greeting, 5u);
    EXPECT_EQ(host.Answer<protocol::PromptApplied>().revision, 1u);
    host.Attach(fill);
    ServeAll();
    EXPECT_EQ(host.Answer<protocol::Attached>().output_width, 32u);
  }

  std::promise<void> gate_;  // TestHold loads and TestLeaving goes once it is opened
  const std::shared_future<void> opened_{gate_.get_future().share()};
  std::promise<std::thread::id> left_;  // by TestLeaving
  std::unique_ptr<graph::NodeRegistry> registry_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<HostTable> table_;
  std::unique_ptr<Near> first_;
};

TEST_F(HostTableTest, EachHostHasItsOwnPromptRegionAndRevision) {
  const auto second = Join();
  Ready(*first_, kInvert, std::byte{10});
  Ready(*second, kKeep, std::byte{200});
  first_->Submit(7);
  second->Submit(7);
  ServeAll();
  EXPECT_EQ(first_->Answer<protocol::Completed>().outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(second->Answer<protocol::Completed>().outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(first_->output(), std::byte{245});
  EXPECT_EQ(second->output(), std::byte{200});
  second->SetPrompt(2, kInvert);
  ServeAll();
  EXPECT_EQ(second->Answer<protocol::PromptApplied>().revision, 2u);
  second->Submit(8);
  first_->Submit(8);
  ServeAll();
  EXPECT_EQ(second->Answer<protocol::Completed>().revision, 2u);
  EXPECT_EQ(first_->Answer<protocol::Completed>().revision, 1u);
}

TEST_F(HostTableTest, HostsAreServedInTurn) {
  const auto second = Join();
  Ready(*first_, kKeep, std::byte{1});
  Ready(*second, kKeep, std::byte{2});
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) first_->Submit(sequence);
  second->Submit(1);
  EXPECT_EQ(table_->Serve(), Turn::kServed);
  EXPECT_EQ(first_->Answer<protocol::Completed>().sequence, 1u);
  EXPECT_TRUE(first_->silent()) << "a host had two turns in a row";
  EXPECT_EQ(second->Answer<protocol::Completed>().sequence, 1u);
}

TEST_F(HostTableTest, AHostThatLeavesTakesNobodyAlong) {
  const auto second = Join();
  Ready(*first_, kKeep, std::byte{1});
  Ready(*second, kKeep, std::byte{2});
  first_.reset();
  ServeAll();
  EXPECT_FALSE(table_->empty());
  second->Submit(1);
  ServeAll();
  EXPECT_EQ(second->Answer<protocol::Completed>().sequence, 1u);
  second->Tell(protocol::Stop{});
  ServeAll();
  EXPECT_TRUE(table_->empty());
  EXPECT_TRUE(table_->last_end());
}

TEST_F(HostTableTest, APromptThatLoadsHoldsUpNoFrame) {
  const auto second = Join();
  Ready(*first_, kKeep, std::byte{1});
  Ready(*second, kKeep, std::byte{2});
  first_->SetPrompt(2, kHold);
  first_->Submit(1);
  second->Submit(1);
  while (table_->Serve() == Turn::kServed) continue;
  EXPECT_TRUE(table_->loading());
  EXPECT_EQ(first_->Answer<protocol::Completed>().revision, 1u);
  EXPECT_EQ(second->Answer<protocol::Completed>().sequence, 1u);
  gate_.set_value();
  ServeAll();
  EXPECT_EQ(first_->Answer<protocol::PromptApplied>().revision, 2u);
  EXPECT_FALSE(table_->loading());
}

TEST_F(HostTableTest, AHostThatLeavesWhileItLoadsIsNotWaitedFor) {
  const auto second = Join();
  Ready(*second, kKeep, std::byte{2});
  first_->Hello();
  first_->SetPrompt(1, kHold);
  while (table_->Serve() == Turn::kServed) continue;
  first_.reset();
  second->Submit(1);
  while (table_->Serve() == Turn::kServed) continue;
  EXPECT_EQ(second->Answer<protocol::Completed>().sequence, 1u);
  EXPECT_TRUE(table_->loading());
  gate_.set_value();
  ServeAll();
  EXPECT_FALSE(table_->loading());
}

TEST_F(HostTableTest, AMalformedHostEndsOnlyItsOwnConversation) {
  const auto second = Join();
  Ready(*first_, kKeep, std::byte{1});
  Ready(*second, kKeep, std::byte{2});
  second->Tell(protocol::Welcome{});
  ServeAll();
  EXPECT_TRUE(second->closed());
  EXPECT_EQ(table_->last_end().error().code, ErrorCode::kProtocol);
  first_->Submit(1);
  ServeAll();
  EXPECT_EQ(first_->Answer<protocol::Completed>().sequence, 1u);
}

TEST_F(HostTableTest, TheGraphOfAHostThatLeavesHoldsNobodyUp) {
  const auto second = Join();
  Ready(*first_, kInvert, std::byte{0});
  Ready(*second, kLeaving, std::byte{0});
  second->Tell(protocol::Stop{});
  first_->Submit(1);
  while (table_->Serve() == Turn::kServed) {
  }
  EXPECT_TRUE(second->closed());
  EXPECT_EQ(first_->Answer<protocol::Completed>().sequence, 1u);
  first_->Tell(protocol::Stop{});
  while (table_->Serve() == Turn::kServed) {
  }
  EXPECT_TRUE(table_->empty());
  EXPECT_FALSE(table_->Settle(std::chrono::milliseconds(0)));
  gate_.set_value();
  EXPECT_TRUE(table_->Settle(std::chrono::seconds(60)));
  EXPECT_NE(left_.get_future().get(), std::this_thread::get_id());
}

TEST_F(HostTableTest, NeitherDoesOneThatItWasLoading) {
  const auto second = Join();
  Ready(*first_, kInvert, std::byte{0});
  second->Hello();
  second->SetPrompt(1, kHoldAndLeave);
  second->Tell(protocol::Stop{});
  while (table_->Serve() == Turn::kServed) {
  }
  second->Answer<protocol::Welcome>();
  EXPECT_TRUE(second->closed());
  gate_.set_value();
  ServeAll();
  EXPECT_NE(left_.get_future().get(), std::this_thread::get_id());
}

TEST_F(HostTableTest, TheFirstHostBringsOthers) {
  first_->Hello();
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  first_->Tell(protocol::AddHost{}, pair->second.fd());
  pair->second = PacketSocket();
  ServeAll();
  first_->Answer<protocol::Welcome>();
  EXPECT_EQ(first_->Answer<protocol::HostAdded>().hosts, 2u);
  Near second(std::move(pair->first));
  Ready(second, kInvert, std::byte{0});
  second.Submit(1);
  ServeAll();
  EXPECT_EQ(second.Answer<protocol::Completed>().outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(second.output(), std::byte{255});
}

TEST_F(HostTableTest, AHostThatWasBroughtBringsNobody) {
  const auto second = Join();
  second->Hello();
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  second->Tell(protocol::AddHost{}, pair->second.fd());
  ServeAll();
  second->Answer<protocol::Welcome>();
  EXPECT_TRUE(second->closed());
  EXPECT_THAT(table_->last_end().error().message, HasSubstr("may not bring others"));
  EXPECT_FALSE(table_->empty());
}

TEST_F(HostTableTest, WhatIsNoSocketIsRefused) {
  first_->Hello();
  const auto file = protocol::MakeTextFd("no socket");
  first_->Tell(protocol::AddHost{}, file->get());
  ServeAll();
  first_->Answer<protocol::Welcome>();
  EXPECT_EQ(first_->Answer<protocol::HostAdded>().hosts, 0u);
}

TEST_F(HostTableTest, ThereIsABoundOnHosts) {
  std::vector<std::unique_ptr<Near>> more;
  while (more.size() + 1 < HostTable::kMaxHosts) more.push_back(Join());
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  const auto refused = table_->Add(std::move(pair->second));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceLimit);
}

// The others would wait as well.
TEST_F(HostTableTest, AHostThatReadsNoAnswersIsLeft) {
  const auto second = Join();
  Ready(*first_, kKeep, std::byte{1});
  Ready(*second, kKeep, std::byte{2});
  for (std::uint64_t sequence = 1; !table_->empty() && table_->last_end(); ++sequence) {
    ASSERT_LT(sequence, 100'000u) << "its answers pile up without end";
    second->Submit(sequence);
    table_->Serve();
  }
  EXPECT_EQ(table_->last_end().error().code, ErrorCode::kResourceLimit);
  first_->Submit(1);
  ServeAll();
  EXPECT_EQ(first_->Answer<protocol::Completed>().sequence, 1u);
}

}  // namespace
}  // namespace framelock::worker
