// SPDX-License-Identifier: Apache-2.0
#include "trickle/subscriber.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/integration/trickle/subscriber_script.h"

namespace framelock::trickle {
namespace {

// C6
TEST(Subscriber, ResolvesCurrentAndReadsToTheEnd) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", Segment(7, "seven"));
  server.On("GET /base/ch/8", Segment(8, "eight"));
  server.On("GET /base/ch/9", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  ASSERT_TRUE(subscriber.ok());
  const Received received = ReadAll(**subscriber);
  EXPECT_EQ(received.text, "|seven|eight");
  EXPECT_EQ(received.end->code, ErrorCode::kClosed);
  const SubscriberStats stats = (*subscriber)->stats();
  EXPECT_EQ(stats.segments, 2u);
  EXPECT_EQ(stats.bytes, 10u);
  EXPECT_EQ(stats.missed_segments, 0u);
  EXPECT_EQ(stats.segment_seq, 8u);
  EXPECT_LE(stats.connections, 3u);
}

// C1, C12
TEST(Subscriber, SwallowsInterimAnswersAndAnyContentType) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    for (int i = 0; i < 50; ++i) exchange.Send("HTTP/1.1 100 Continue\r\n\r\n");
    exchange.Send("HTTP/1.1 103 Early Hints\r\nLp-Trickle-Seq: 99\r\n\r\n");
    exchange.Send(
        "HTTP/1.1 200 OK\r\nlp-trickle-seq: 0\r\nContent-Type:\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  server.On("GET /base/ch/1", [](Exchange& exchange, const Request&) {
    exchange.Answer(200, "Lp-Trickle-Seq: 1\r\nContent-Type: video/MP2T\r\n", "def");
  });
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|abc|def");  // then 404: the channel ended
}

// C3, C8
TEST(Subscriber, PassesOverEmptySegmentsOfNewAndOldServers) {
  ScriptedServer server;
  server.On("GET /base/ch/-1", Segment(0, "a"));
  server.On("GET /base/ch/1", [](Exchange& exchange, const Request&) {
    exchange.Answer(200, "Lp-Trickle-Seq: 1\r\nLp-Trickle-Latest: 2\r\n");
  });
  server.On("GET /base/ch/2", [](Exchange& exchange, const Request&) {
    exchange.Answer(470, "Lp-Trickle-Seq: 2\r\nLp-Trickle-Latest: 3\r\n", "Entry not found");
  });
  server.On("GET /base/ch/3", Segment(3, "d"));
  server.On("GET /base/ch/4", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.start = StartAt::kNext;
  auto subscriber = Subscriber::Open(options);
  const Received received = ReadAll(**subscriber);
  EXPECT_EQ(received.text, "|a|d");
  EXPECT_EQ(received.end->code, ErrorCode::kClosed);
  EXPECT_EQ((*subscriber)->stats().empty_segments, 2u);
  EXPECT_EQ((*subscriber)->stats().missed_segments, 0u);
}

// C4
TEST(Subscriber, JumpsWhenBehindTheWindow) {
  ScriptedServer server;
  server.On("GET /base/ch/3", [](Exchange& exchange, const Request&) {
    exchange.Answer(470, "Lp-Trickle-Seq: 3\r\nLp-Trickle-Latest: 12\r\n", "Entry not found");
  });
  server.On("GET /base/ch/12", Segment(12, "twelve"));
  server.On("GET /base/ch/13", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.start_seq = 3;
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).text, "!|twelve");
  EXPECT_EQ((*subscriber)->stats().missed_segments, 9u);
}

TEST(Subscriber, WaitsWhenAheadOfTheChannel) {
  ScriptedServer server;
  server.On("GET /base/ch/3", [](Exchange& exchange, const Request& request) {
    if (request.ordinal >= 2) return Segment(3, "three")(exchange, request);
    exchange.Answer(470, "Lp-Trickle-Seq: 3\r\nLp-Trickle-Latest: 1\r\n", "Entry not found");
  });
  server.On("GET /base/ch/4", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.start_seq = 3;
  const auto begin = std::chrono::steady_clock::now();
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).text, "|three");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(500));  // two pauses
}

TEST(Subscriber, FollowsAPublisherThatRestartedAtZero) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", Segment(40, "old"));
  server.On("GET /base/ch/41", [](Exchange& exchange, const Request&) {
    exchange.Answer(200, "Lp-Trickle-Seq: 41\r\nLp-Trickle-Latest: 1\r\n");
  });
  server.On("GET /base/ch/42", [](Exchange& exchange, const Request&) {
    exchange.Answer(470, "Lp-Trickle-Seq: 42\r\nLp-Trickle-Latest: 1\r\n", "Entry not found");
  });
  server.On("GET /base/ch/0", Segment(0, "new"));
  server.On("GET /base/ch/1", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|old!|new");
  const SubscriberStats stats = (*subscriber)->stats();
  EXPECT_EQ(stats.resets, 1u);
  EXPECT_EQ(stats.missed_segments, 0u);
}

// C9, shortened
TEST(Subscriber, RenewsWaitingGetsAndLosesNoAnswer) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", Segment(0, "zero"));
  server.On("GET /base/ch/1", [](Exchange& exchange, const Request& request) {
    if (request.ordinal != 5) return exchange.Hold();
    if (exchange.WaitForPeer(milliseconds(150))) return;  // while its successor waits already
    Segment(1, "one")(exchange, request);
  });
  server.On("GET /base/ch/2", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.reissue_waiting_get = milliseconds(100);
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).text, "|zero|one");
  EXPECT_GE(server.Count("GET /base/ch/1"), 6u);
  EXPECT_LE(server.Count("GET /base/ch/1"), 8u);
  EXPECT_EQ((*subscriber)->stats().missed_segments, 0u);
}

// C10
TEST(Subscriber, EndsInGoodOrderWhenTheChannelGoesAway) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    exchange.BeginBody(0);
    exchange.Chunk("half");
    exchange.EndBody();
  });
  auto subscriber = Subscriber::Open(FastOptions(server));  // /1 is 404
  const Received received = ReadAll(**subscriber);
  EXPECT_EQ(received.text, "|half");
  EXPECT_EQ(received.end->code, ErrorCode::kClosed);
}

// C11
TEST(Subscriber, ReadsChunksOfEverySizeWithExtensions) {
  ScriptedServer server;
  std::string expected;
  for (std::size_t size = 1; size <= (1u << 20); size *= 4) {
    expected += std::string(size, static_cast<char>('a' + expected.size() % 23));
  }
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request&) {
    exchange.BeginBody(0);
    for (std::size_t size = 1, at = 0; size <= (1u << 20); at += size, size *= 4) {
      char head[64];
      snprintf(head, sizeof head, "%zX;name=\"value\";other\r\n", size);
      exchange.Send(head + expected.substr(at, size) + "\r\n");
    }
    exchange.Send("0\r\nLp-Trickle-Seq: 77\r\n\r\n");  // a trailer is not a head
  });
  server.On("GET /base/ch/1", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|" + expected);
}

TEST(Subscriber, HandsOutPiecesWhileTheSegmentIsWritten) {
  ScriptedServer server;
  std::atomic<bool> go_on{false};
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request&) {
    exchange.BeginBody(0);
    exchange.Chunk("first");
    while (!go_on && !server.stopping()) std::this_thread::sleep_for(milliseconds(1));
    exchange.Chunk("second");
    exchange.EndBody();
  });
  server.On("GET /base/ch/1", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  const Result<Piece> first = (*subscriber)->Read(seconds(5));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Text(*first), "first");
  EXPECT_EQ((*subscriber)->Read(milliseconds(50)).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(server.Count("GET /base/ch/1"), 1u);  // preconnected
  go_on = true;
  EXPECT_EQ(ReadAll(**subscriber).text, "second");
}

TEST(Subscriber, StopsReadingWhenNobodyTakes) {
  ScriptedServer server;
  constexpr std::size_t kTotal = 64u << 20;
  std::atomic<std::size_t> sent{0};
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request&) {
    exchange.BeginBody(0);
    const std::string block(64 * 1024, 'x');
    while (sent < kTotal && !server.stopping()) {
      exchange.Chunk(block);
      sent += block.size();
    }
    exchange.EndBody();
  });
  server.On("GET /base/ch/1", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.queue_bytes = 256 * 1024;
  auto subscriber = Subscriber::Open(options);
  std::size_t before = 1;
  while (before != sent.load()) {  // until the sockets are full
    before = sent.load();
    std::this_thread::sleep_for(milliseconds(300));
  }
  EXPECT_LT(sent.load(), 16u << 20);
  EXPECT_LE((*subscriber)->stats().queued_bytes, options.queue_bytes + 64 * 1024);
  std::size_t taken = 0;
  while (Result<Piece> piece = (*subscriber)->Read(seconds(5))) {
    taken += piece->bytes.size();
    ASSERT_LE((*subscriber)->stats().queued_bytes, options.queue_bytes + 64 * 1024);
  }
  EXPECT_EQ(taken, kTotal);
}

TEST(Subscriber, CutsOffEndlessSegments) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request&) {
    exchange.BeginBody(0);
    while (!server.stopping() && !exchange.WaitForPeer(milliseconds(1))) {
      exchange.Chunk(std::string(1000, 'x'));
    }
    exchange.Close();
  });
  server.On("GET /base/ch/1", Segment(1, "one"));
  server.On("GET /base/ch/2", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.max_segment_bytes = 10'000;
  auto subscriber = Subscriber::Open(options);
  const Received received = ReadAll(**subscriber);
  EXPECT_LE(received.text.size(), 10'010u);
  EXPECT_TRUE(received.text.ends_with("!|one"));
  EXPECT_EQ((*subscriber)->stats().missed_segments, 1u);
}

TEST(Subscriber, ReusesConnections) {
  ScriptedServer server;
  constexpr std::uint64_t kSegments = 500;
  server.On("GET *", [](Exchange& exchange, const Request& request) {
    const auto wire = std::stoll(request.target.substr(request.target.rfind('/') + 1));
    const auto seq = static_cast<std::uint64_t>(std::max(wire, 0LL));
    if (seq == kSegments) return AnswerClosed(exchange, request);
    Segment(seq, std::to_string(seq))(exchange, request);
  });
  auto subscriber = Subscriber::Open(FastOptions(server));
  std::string expected;
  for (std::uint64_t seq = 0; seq < kSegments; ++seq) expected += "|" + std::to_string(seq);
  EXPECT_EQ(ReadAll(**subscriber).text, expected);
  EXPECT_LE(server.connections(), 3u);
  EXPECT_EQ((*subscriber)->stats().connections, server.connections());
}

TEST(Subscriber, InterruptsAReadAndReadsOn) {
  ScriptedServer server;
  std::atomic<bool> go_on{false};
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request& request) {
    while (!go_on && !server.stopping()) std::this_thread::sleep_for(milliseconds(1));
    Segment(0, "zero")(exchange, request);
  });
  server.On("GET /base/ch/1", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  std::thread interrupter([&] {
    std::this_thread::sleep_for(milliseconds(50));
    (*subscriber)->Interrupt();
  });
  EXPECT_EQ((*subscriber)->Read().error().code, ErrorCode::kCancelled);
  interrupter.join();
  go_on = true;
  EXPECT_EQ((*subscriber)->Read().error().code, ErrorCode::kCancelled);
  (*subscriber)->Resume();
  EXPECT_EQ(ReadAll(**subscriber).text, "|zero");
}

TEST(Subscriber, ClosesQuicklyInEveryState) {
  ScriptedServer server;
  server.On("GET *", [&](Exchange& exchange, const Request& request) {
    if (request.target.ends_with("/-1")) return exchange.Hold();
    exchange.BeginBody(0);
    while (!server.stopping() && !exchange.WaitForPeer(milliseconds(1))) {
      exchange.Chunk(std::string(10'000, 'x'));
    }
    exchange.Close();
  });
  for (const StartAt start : {StartAt::kNext, StartAt::kCurrent}) {
    SubscriberOptions options = FastOptions(server);
    options.start = start;
    options.queue_bytes = 1000;
    auto subscriber = Subscriber::Open(options);
    std::this_thread::sleep_for(milliseconds(100));
    const auto begin = std::chrono::steady_clock::now();
    subscriber->reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(100));
  }
}

TEST(Subscriber, RefusesBadAddresses) {
  for (const char* url : {"", "ch", "ftp://host/ch", "http://host", "http://host/", "http:///ch",
                          "http://host:0/ch", "http://user@host/ch", "file:///etc/passwd"}) {
    SubscriberOptions options;
    options.url = url;
    const auto subscriber = Subscriber::Open(options);
    ASSERT_FALSE(subscriber.ok()) << url;
    EXPECT_EQ(subscriber.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(subscriber.error().message.starts_with("url: ")) << subscriber.error().message;
  }
}

}  // namespace
}  // namespace framelock::trickle
