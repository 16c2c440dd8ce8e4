// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/websocket_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "tests/integration/plugins/fake_websocket_server.h"

namespace framelock::net {
namespace {

using namespace std::chrono_literals;
using framelock::testing::DeadListener;
using framelock::testing::FakeWebSocketPeer;
using framelock::testing::FakeWebSocketServer;

constexpr auto kPatience = 30s;  // a busy machine may stand still for seconds
constexpr auto kStart = GroupQueue::Position::kStartsGroup;
constexpr auto kNext = GroupQueue::Position::kContinuesGroup;

std::unique_ptr<WebSocketClient> Open(WebSocketClientOptions options) {
  auto client = WebSocketClient::Open(std::move(options));
  EXPECT_TRUE(client.ok());
  return client.ok() ? std::move(*client) : nullptr;
}

std::string Text(const WebSocketMessage& message) {
  return {reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
}

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(WebSocketClient, ReceivesBinaryMessagesJoinsFragmentsAndEndsWithCode1000) {
  const std::string large(300000, 'x');
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    peer.Send("one");
    peer.Send("ignored", FakeWebSocketPeer::kText);
    peer.SendFragment("t", FakeWebSocketPeer::kBinary);
    peer.Send("", FakeWebSocketPeer::kPing);
    peer.SendFragment("w", FakeWebSocketPeer::kContinuation);
    peer.Send("o", FakeWebSocketPeer::kContinuation);
    peer.Send("");
    peer.Send(large);
    peer.Close(1000);
  });
  auto client = Open({.url = server.url() + "/ws/x?y=1"});
  for (const std::string& expected : {std::string("one"), std::string("two"), large}) {
    const auto message = client->Receive(kPatience);
    ASSERT_TRUE(message.ok()) << message.error().message;
    EXPECT_EQ(Text(*message), expected);
    EXPECT_FALSE(message->discontinuity);
  }
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
  const auto stats = client->stats();
  EXPECT_EQ(stats.messages_received, 3u);
  EXPECT_EQ(stats.bytes_received, 300006u);
  EXPECT_EQ(stats.text_messages, 1u);
  EXPECT_EQ(stats.close_code, 1000);
  EXPECT_EQ(stats.connections, 1u);
  EXPECT_EQ(stats.receive_queued_bytes, 0u);
}

TEST(WebSocketClient, SendsWholeMessagesAndClosesWithCode1000) {
  std::promise<std::vector<FakeWebSocketPeer::Frame>> got;
  std::promise<std::string> target;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    target.set_value(peer.target());
    std::vector<FakeWebSocketPeer::Frame> frames;
    while (const auto frame = peer.Receive()) {
      frames.push_back(*frame);
      if (frame->opcode == FakeWebSocketPeer::kClose)
        peer.Send(frame->payload, FakeWebSocketPeer::kClose);
    }
    got.set_value(frames);
  });
  const std::string large(1000000, 'y');
  auto client = Open({.url = server.url() + "/ws/x?publish=1", .close_timeout = kPatience});
  ASSERT_TRUE(client->Send(Bytes("one"), kStart).ok());
  ASSERT_TRUE(client->Send(Bytes(large), kNext).ok());
  const auto closed = client->Close();
  EXPECT_TRUE(closed.ok()) << closed.error().message;
  EXPECT_EQ(target.get_future().get(), "/ws/x?publish=1");
  client.reset();
  const auto frames = got.get_future().get();
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].payload, "one");
  EXPECT_EQ(frames[0].opcode, FakeWebSocketPeer::kBinary);
  EXPECT_TRUE(frames[1].payload == large);
  EXPECT_EQ(frames[2].opcode, FakeWebSocketPeer::kClose);
  EXPECT_EQ(frames[2].payload, "\x03\xe8");
}

TEST(WebSocketClient, ReconnectsAfterALossAndSaysSo) {
  std::atomic<int> sessions{0};
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    peer.Send("hello");
    peer.Receive();  // "go on": both sides know that the message has arrived
    if (++sessions == 3) return peer.Close(1000);
    peer.Abort();
  });
  auto client = Open({.url = server.url(), .retry_initial = 5ms});
  for (int i = 0; i < 3; ++i) {
    const auto message = client->Receive(kPatience);
    ASSERT_TRUE(message.ok()) << message.error().message;
    EXPECT_EQ(message->discontinuity, i > 0);
    ASSERT_TRUE(client->Send(Bytes("go on"), kStart).ok());
  }
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
  EXPECT_EQ(client->stats().reconnects, 2u);
}

TEST(WebSocketClient, ANewConnectionStartsWithAGroup) {
  std::promise<void> first_arrived;
  std::promise<std::vector<std::string>> second_got;
  std::atomic<int> sessions{0};
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    if (++sessions == 1) {
      peer.Receive();
      first_arrived.set_value();
      return peer.Abort();
    }
    std::vector<std::string> messages;
    while (const auto frame = peer.Receive()) {
      if (frame->opcode == FakeWebSocketPeer::kBinary) messages.push_back(frame->payload);
      if (frame->opcode != FakeWebSocketPeer::kClose) continue;
      peer.Send(frame->payload, FakeWebSocketPeer::kClose);
      break;
    }
    second_got.set_value(messages);
  });
  auto client = Open({.url = server.url(),
                      .retry_initial = 300ms,
                      .retry_max = 300ms,
                      .close_timeout = kPatience});
  ASSERT_TRUE(client->Send(Bytes("a0"), kStart).ok());
  first_arrived.get_future().wait();
  while (client->stats().last_error.empty()) std::this_thread::sleep_for(1ms);
  // The connection was lost: the rest of the group is of no use to the next one, whether it is
  // queued before or refused after.
  (void)client->Send(Bytes("a1"), kNext);
  while (client->stats().reconnects == 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(client->Send(Bytes("a2"), kNext).error().code, ErrorCode::kResourceLimit);
  ASSERT_TRUE(client->Send(Bytes("b0"), kStart).ok());
  ASSERT_TRUE(client->Send(Bytes("b1"), kNext).ok());
  EXPECT_TRUE(client->Close().ok());
  EXPECT_EQ(second_got.get_future().get(), (std::vector<std::string>{"b0", "b1"}));
  EXPECT_EQ(client->stats().dropped_messages, 2u);
  EXPECT_EQ(client->stats().dropped_groups, 1u);
}

TEST(WebSocketClient, WithoutReconnectALossEndsIt) {
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) { peer.Close(1011); });
  auto client = Open({.url = server.url(), .reconnect = Reconnect::kNever});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(end.error().message.find("code 1011"), std::string::npos) << end.error().message;
}

TEST(WebSocketClient, GivesUpOnARefusedUpgrade) {
  FakeWebSocketServer server([](FakeWebSocketPeer&) {}, {.refuse_with = "404 Not Found"});
  auto client = Open({.url = server.url(), .retry_initial = 20ms, .give_up_after = 1s});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kNotFound) << end.error().message;
  EXPECT_GT(server.connections(), 1);
}

TEST(WebSocketClient, GivesUpOnAClosedPort) {
  std::string url;
  {
    url = FakeWebSocketServer([](FakeWebSocketPeer&) {}).url();
  }
  auto client = Open({.url = url, .retry_initial = 10ms, .give_up_after = 100ms});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(client->stats().last_error.empty());
}

TEST(WebSocketClient, APeerThatOnlyAcceptsIsGivenUpAfterGrowingPauses) {
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) { peer.Close(1011); });
  auto client =
      Open({.url = server.url(), .retry_initial = 10ms, .retry_max = 2s, .give_up_after = 2s});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable);
  EXPECT_GT(server.connections(), 2);
  EXPECT_LT(server.connections(), 12) << "10, 20, 40, … 1280 ms";
}

TEST(WebSocketClient, AMessageAboveTheBoundEndsTheConnection) {
  std::promise<std::optional<FakeWebSocketPeer::Frame>> answer;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    peer.SendFragment(std::string(600, 'a'), FakeWebSocketPeer::kBinary);
    peer.Send(std::string(600, 'b'), FakeWebSocketPeer::kContinuation);
    answer.set_value(peer.Receive());
  });
  auto client =
      Open({.url = server.url(), .reconnect = Reconnect::kNever, .max_message_bytes = 1000});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.error().message.find("max-message-bytes"), std::string::npos)
      << end.error().message;
  const auto frame = answer.get_future().get();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload.substr(0, 2), "\x03\xf1");
}

TEST(WebSocketClient, AFullReceiveQueueStopsReading) {
  std::atomic<int> sent{0};
  constexpr int kMessages = 400;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    for (int i = 0; i < kMessages && peer.Send(std::string(100000, 'z')); ++i) ++sent;
    peer.Close(1000);
  });
  auto client = Open({.url = server.url(), .receive_queue_bytes = 1 << 20});
  while (client->stats().receive_queued_bytes < (1 << 20)) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(client->stats().receive_queued_bytes, (1u << 20) + 300000);
  EXPECT_LT(sent, kMessages) << "40 MB do not fit into the kernel's buffers";
  int received = 0;
  while (client->Receive(kPatience).ok()) ++received;
  EXPECT_EQ(received, kMessages);
}

TEST(WebSocketClient, AStalledPeerCostsWholeGroups) {
  std::promise<void> go_on;
  std::vector<std::string> received;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    go_on.get_future().wait();
    while (const auto frame = peer.Receive()) {
      if (frame->opcode == FakeWebSocketPeer::kBinary)
        received.push_back(frame->payload.substr(0, 2));
      if (frame->opcode == FakeWebSocketPeer::kClose)
        peer.Send(frame->payload, FakeWebSocketPeer::kClose);
    }
  });
  auto client =
      Open({.url = server.url(), .send_queue_bytes = 2 << 20, .close_timeout = kPatience});
  std::uint64_t refused = 0;
  for (int group = 0; group < 26; ++group) {
    for (int part = 0; part < 5; ++part) {
      std::string message(100000, '.');
      message[0] = static_cast<char>('a' + group);
      message[1] = static_cast<char>('0' + part);
      const auto sent = client->Send(Bytes(message), part == 0 ? kStart : kNext);
      if (!sent) {
        EXPECT_EQ(sent.error().code, ErrorCode::kResourceLimit);
        ++refused;
      }
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_LE(client->stats().send_queued_bytes, 2u << 20);
  }
  go_on.set_value();
  ASSERT_TRUE(client->Close().ok());
  const auto stats = client->stats();
  client.reset();
  EXPECT_GT(stats.dropped_groups, 5u);
  EXPECT_EQ(stats.messages_sent + stats.dropped_messages, 130u);
  EXPECT_EQ(stats.messages_sent, received.size());
  // A group is received from its beginning, without a hole.
  for (std::size_t i = 0; i < received.size(); ++i) {
    if (received[i][1] == '0') continue;
    ASSERT_GT(i, 0u);
    EXPECT_EQ(received[i - 1][0], received[i][0]);
    EXPECT_EQ(received[i - 1][1], received[i][1] - 1);
  }
  EXPECT_EQ(received.back(), "z4") << "the freshest group survives";
}

TEST(WebSocketClient, ASilentPeerIsGivenUp) {
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    while (peer.ReceiveSilently()) {
    }
  });
  auto client = Open({.url = server.url(),
                      .reconnect = Reconnect::kNever,
                      .ping_interval = 50ms,
                      .ping_timeout = 150ms});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(end.error().message.find("did not answer"), std::string::npos) << end.error().message;
}

TEST(WebSocketClient, InterruptWakesReceiveAndClose) {
  std::promise<void> connected;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    connected.set_value();
    while (peer.Receive()) {  // never answers the close
    }
    std::this_thread::sleep_for(100ms);
  });
  auto client = Open({.url = server.url(), .close_timeout = 20s});
  connected.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  auto received = std::async(std::launch::async, [&] { return client->Receive().error().code; });
  std::this_thread::sleep_for(50ms);
  client->Interrupt();
  EXPECT_EQ(received.get(), ErrorCode::kCancelled);
  EXPECT_EQ(client->Receive().error().code, ErrorCode::kCancelled);
  client->Resume();
  EXPECT_EQ(client->Receive(10ms).error().code, ErrorCode::kTimeout);
  auto closed = std::async(std::launch::async, [&] { return client->Close(); });
  std::this_thread::sleep_for(50ms);
  client->Interrupt();
  const auto status = closed.get();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  client.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << "not the 20 s of close_timeout";
}

TEST(WebSocketClient, ConnectTimeoutCountsAsALoss) {
  const DeadListener listener;
  auto client = Open({.url = "ws://" + listener.authority(),
                      .reconnect = Reconnect::kNever,
                      .connect_timeout = 200ms});
  const auto end = client->Receive(kPatience);
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.error().message.find("connect timeout"), std::string::npos) << end.error().message;
}

TEST(WebSocketClient, IgnoresTheProxyOfTheEnvironment) {
  setenv("http_proxy", "127.0.0.1:1", 1);
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) { peer.Close(1000); });
  auto client = Open({.url = server.url(), .reconnect = Reconnect::kNever});
  EXPECT_EQ(client->Receive(kPatience).error().code, ErrorCode::kClosed);
  unsetenv("http_proxy");
}

TEST(WebSocketClient, RefusesABadUrlAtOnce) {
  const auto client = WebSocketClient::Open({.url = "http://127.0.0.1/"});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace framelock::net
