// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/door.h"

#include <optional>

#include "tests/support/relay_fixture.h"
#include "tests/support/ts_writer.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;
using test::TsWriter;

// The client's end of a WebSocket, frame by frame, on an HttpProbe.
class WebSocketProbe {
 public:
  enum Opcode : unsigned { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
  struct Frame {
    unsigned opcode = 0;
    std::string payload;

    [[nodiscard]] unsigned close_code() const {
      if (opcode != kClose || payload.size() < 2) return 0;
      return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
    }
  };

  WebSocketProbe(std::uint16_t port, const std::string& target) : probe_(port) {
    probe_.Request("GET", target,
                   {{"Connection", "keep-alive, Upgrade"},
                    {"Upgrade", "websocket"},
                    {"Sec-WebSocket-Version", "13"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
    EXPECT_TRUE(probe_.ReadHead());
  }

  [[nodiscard]] int status() const { return probe_.status(); }
  HttpProbe& http() { return probe_; }

  void Send(unsigned opcode, std::string payload) {
    const std::size_t size = payload.size();
    SendPart(opcode, std::move(payload), size);
  }
  /// A message's head, which announces `size` bytes, and the first of them.
  void SendPart(unsigned opcode, std::string payload, std::size_t size) {
    std::string frame(1, static_cast<char>(0x80 | opcode));
    if (size < 126) {
      frame += static_cast<char>(0x80 | size);
    } else {
      const int bits = size < 65536 ? 16 : 64;
      frame += bits == 16 ? '\xFE' : '\xFF';
      for (int shift = bits - 8; shift >= 0; shift -= 8) {
        frame += static_cast<char>(size >> shift);
      }
    }
    const std::string mask = "mask";
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= mask[i % 4];
    probe_.Send(frame + mask + payload);
  }
  /// The closing handshake: our frame, the peer's, the peer's end, ours.
  void Close() {
    Send(kClose, "\x03\xE8");
    const auto answer = Receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->close_code(), 1000u);
    EXPECT_TRUE(probe_.PeerClosed());
    probe_.Close();
  }

  std::optional<Frame> Receive(std::chrono::milliseconds timeout = 3s) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      if (auto frame = TakeFrame()) return frame;
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      const std::string more = probe_.Raw(5ms);
      buffer_ += more;
      if (more.empty() && probe_.PeerClosed(0ms)) return TakeFrame();
    }
  }
  /// Binary messages joined, until there are so many bytes.
  std::string Bytes(std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const auto frame = Receive();
      if (!frame || frame->opcode != kBinary) break;
      all += frame->payload;
    }
    return all;
  }

 private:
  std::optional<Frame> TakeFrame() {
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(buffer_[i]); };
    if (buffer_.size() < 2) return std::nullopt;
    std::size_t header = 2;
    std::uint64_t length = byte(1);
    if (length >= 126) {
      const std::size_t bytes = length == 126 ? 2 : 8;
      header += bytes;
      if (buffer_.size() < header) return std::nullopt;
      length = 0;
      for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | byte(2 + i);
    }
    if (buffer_.size() < header + length) return std::nullopt;
    Frame frame{byte(0) & 0x0Fu, buffer_.substr(header, length)};
    buffer_.erase(0, header + length);
    return frame;
  }

  HttpProbe probe_;
  std::string buffer_;
};

constexpr std::uint64_t kSecond = 90'000;

class RelayDoorTest : public test::RelayFixture {
 protected:
  TsWriter ts_;
  // A group of pictures as muxers send it.
  std::string Group(std::uint64_t pts) {
    std::string group = ts_.Pat();
    group += ts_.Pmt();
    group += ts_.Key(pts);
    group += ts_.More();
    group += ts_.Delta(pts + 3000);
    return group;
  }
};

TEST_F(RelayDoorTest, SubscriberGetsTheCurrentSegmentThenAllToTheEnd) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "old");
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/1").Chunk("cur");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 2; }));
  WebSocketProbe subscriber(port_, "/ws" + channel);
  ASSERT_EQ(subscriber.status(), 101);
  EXPECT_EQ(subscriber.Bytes(3), "cur");
  publisher.Chunk("rent").EndChunks();
  EXPECT_EQ(subscriber.Bytes(4), "rent");
  Put(channel, 2, "third");
  EXPECT_EQ(subscriber.Bytes(5), "third");
  Put(channel, 4, "fifth");
  EXPECT_EQ(subscriber.Bytes(5), "fifth") << "a number left out holds nobody up";
  Ask(port_, "DELETE", channel);
  const auto end = subscriber.Receive();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->close_code(), 1000u);
}

TEST_F(RelayDoorTest, SubscriberMayComeBeforeThePublisher) {
  Start();
  const auto channel = Channel();
  WebSocketProbe subscriber(port_, "/ws" + channel);
  EXPECT_EQ(subscriber.Receive(50ms), std::nullopt);
  Put(channel, 0, "first");
  EXPECT_EQ(subscriber.Bytes(5), "first");
}

TEST_F(RelayDoorTest, RefusalsAreHttpAnswers) {
  Start({.channels = {.deny_create = {"no-"}}});
  EXPECT_EQ(WebSocketProbe(port_, "/ws/missing").status(), 404);
  EXPECT_EQ(WebSocketProbe(port_, "/ws/no-x?publish=1").status(), 403);
  const auto channel = Channel();
  HttpProbe bad(port_);
  bad.Request("GET", "/ws" + channel,
              {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Key", "x"}});
  ASSERT_TRUE(bad.ReadHead());
  EXPECT_GE(bad.status(), 400);
  EXPECT_LT(bad.status(), 500);
}

TEST_F(RelayDoorTest, VanishedSubscribersAreForgotten) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "x");
  {
    WebSocketProbe leaves(port_, "/ws" + channel);
    EXPECT_EQ(leaves.Bytes(1), "x");
    WebSocketProbe closes(port_, "/ws" + channel);
    EXPECT_EQ(closes.Bytes(1), "x");
    closes.Close();
    leaves.http().Abort();
  }
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

TEST_F(RelayDoorTest, PublisherIsCutAtKeyframes) {
  Start();
  WebSocketProbe publisher(port_, "/ws/live?publish=1");
  ASSERT_EQ(publisher.status(), 101);
  std::string groups[4];
  for (std::uint64_t i = 0; i < 4; ++i) groups[i] = Group(i * kSecond);
  publisher.Send(WebSocketProbe::kBinary, "garbage" + groups[0].substr(0, 100));
  publisher.Send(WebSocketProbe::kBinary, groups[0].substr(100) + groups[1]);
  publisher.Send(WebSocketProbe::kBinary, groups[2] + groups[3].substr(0, 500));
  EXPECT_TRUE(Eventually([&] { return Inside("/live").next() == 3; }));
  for (int seq = 0; seq < 2; ++seq) {
    const auto answer = Get("/live", seq);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-type"), "video/mp2t");
    EXPECT_EQ(answer.body, groups[seq]);
  }
  HttpProbe live(port_);
  live.Request("GET", "/live/2");
  ASSERT_TRUE(live.ReadHead());
  EXPECT_EQ(live.AtLeast(groups[2].size()), groups[2]);
  publisher.Send(WebSocketProbe::kBinary, groups[3].substr(500));
  EXPECT_EQ(live.Body(), "");
  EXPECT_TRUE(Eventually([&] { return Inside("/live").next() == 4; }));
  HttpProbe waits(port_);
  waits.Request("GET", "/live/4");
  EXPECT_TRUE(Eventually([&] { return Inside("/live").readers() == 1; }));
  publisher.Close();
  ASSERT_TRUE(waits.ReadHead());
  EXPECT_EQ(waits.Header("lp-trickle-closed"), "terminated");
  EXPECT_TRUE(Eventually([&] { return relay_->channels().size() == 0; }));
}

TEST_F(RelayDoorTest, DoorToDoor) {
  Start();
  WebSocketProbe publisher(port_, "/ws/live?publish=1");
  WebSocketProbe subscriber(port_, "/ws/live");
  std::string expected;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::string group = Group(i * kSecond);
    expected += group;
    publisher.Send(WebSocketProbe::kBinary, group);
    EXPECT_EQ(subscriber.Bytes(group.size()).size(), group.size()) << i;
  }
  publisher.Close();
  const auto end = subscriber.Receive();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->close_code(), 1000u);
}

TEST_F(RelayDoorTest, VanishedPublisherLeavesAnOrphanAndMayComeBack) {
  Start({.orphan_grace = 100ms});
  std::optional<WebSocketProbe> publisher;
  publisher.emplace(port_, "/ws/live?publish=1");
  publisher->Send(WebSocketProbe::kBinary, Group(0));
  HttpProbe reader(port_);
  reader.Request("GET", "/live/0");
  ASSERT_TRUE(reader.ReadHead());
  publisher->http().Abort();
  EXPECT_TRUE(reader.Body().has_value());
  EXPECT_TRUE(Eventually([&] { return Inside("/live").stats().orphaned_segments == 1; }));
  publisher.emplace(port_, "/ws/live?publish=1");
  publisher->Send(WebSocketProbe::kBinary, Group(kSecond));
  EXPECT_TRUE(Eventually([&] { return Inside("/live").next() == 2; }));
}

TEST_F(RelayDoorTest, WrongPublishersAreTurnedAwayWithAReason) {
  RelayOptions options;
  options.door.max_bytes_before_start = 10'000;
  options.door.max_message_bytes = 100'000;
  options.channels.limits.max_segment_bytes = 20'000;
  Start(options);
  const auto code_after = [&](unsigned opcode, const std::string& payload) {
    WebSocketProbe publisher(port_, "/ws/live?publish=1");
    publisher.Send(opcode, payload);
    const auto frame = publisher.Receive();
    return frame ? frame->close_code() : 0;
  };
  EXPECT_EQ(code_after(WebSocketProbe::kText, "hello"), 1003u);
  EXPECT_EQ(code_after(WebSocketProbe::kBinary, std::string(20'000, 'x')), 1007u);
  EXPECT_EQ(code_after(WebSocketProbe::kBinary, std::string(100'001, 'x')), 1009u);
  std::string long_group = Group(0);
  while (long_group.size() < 21'000) long_group += ts_.More();
  EXPECT_EQ(code_after(WebSocketProbe::kBinary, long_group), 1009u);
  EXPECT_EQ(code_after(3, "reserved opcode"), 1002u);
}

// A message that its sender never ends is a stream like any other: it goes out as it comes, and
// what is kept of it counts.
TEST_F(RelayDoorTest, PublisherIsReadInMidMessage) {
  Start();
  WebSocketProbe publisher(port_, "/ws/live?publish=1");
  ASSERT_EQ(publisher.status(), 101);
  const std::string group = Group(0);
  publisher.SendPart(WebSocketProbe::kBinary, group, 2u << 20);
  EXPECT_TRUE(Eventually([&] {
    return Inside("/live").next() == 1 && Inside("/live").stats().bytes == group.size();
  }));
}

TEST_F(RelayDoorTest, UnfinishedMessagesAreInsideTheRelaysBound) {
  RelayOptions options;
  options.channels.max_total_bytes = 256u << 10;
  Start(options);
  WebSocketProbe publisher(port_, "/ws/live?publish=1");
  ASSERT_EQ(publisher.status(), 101);
  std::string group = Group(0);
  while (group.size() < 300u << 10) group += ts_.More();
  publisher.SendPart(WebSocketProbe::kBinary, group, 2u << 20);
  const auto frame = publisher.Receive();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->close_code(), 1013u);
}

TEST_F(RelayDoorTest, SlowSubscriberSkipsAndIsCounted) {
  Start();
  const auto channel = Channel();
  WebSocketProbe subscriber(port_, "/ws" + channel);
  const std::string big(8u << 20, 'x');
  for (int seq = 0; seq < 8; ++seq) Put(channel, seq, big);
  Put(channel, 8, "fresh");
  std::size_t received = 0;
  std::string last;
  while (!last.ends_with("fresh")) {
    const auto frame = subscriber.Receive(5s);
    ASSERT_TRUE(frame);
    received += frame->payload.size();
    last = frame->payload;
  }
  EXPECT_LT(received, 8 * big.size());
  EXPECT_TRUE(Eventually([&] { return Inside(channel).stats().skipped_segments >= 1; }));
}

}  // namespace
}  // namespace framelock::relay
