// SPDX-License-Identifier: Apache-2.0
#include "trickle/subscriber.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/scripted_server.h"

namespace framelock::trickle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ScriptedServer;
using Exchange = ScriptedServer::Exchange;
using Request = ScriptedServer::Request;

SubscriberOptions FastOptions(const ScriptedServer& server) {
  SubscriberOptions options;
  options.url = server.Url("/base/ch");
  options.retry_initial = milliseconds(20);
  options.retry_max = milliseconds(100);
  options.give_up_after = milliseconds(1500);
  return options;
}

std::string Text(const Piece& piece) {
  return {reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size()};
}

struct Received {
  std::string text;  // '|' before a segment's first piece, '!' before a discontinuity
  std::optional<Error> end;
};

Received ReadAll(Subscriber& subscriber) {
  Received received;
  while (true) {
    Result<Piece> piece = subscriber.Read(seconds(10));
    if (!piece) {
      received.end = piece.error();
      return received;
    }
    if (piece->discontinuity) received.text += '!';
    if (piece->segment_start) received.text += '|';
    received.text += Text(*piece);
  }
}

ScriptedServer::Script Segment(std::uint64_t seq, std::string body) {
  return [seq, body](Exchange& exchange, const Request&) {
    exchange.BeginBody(seq);
    exchange.Chunk(body);
    exchange.EndBody();
  };
}

void AnswerClosed(Exchange& exchange, const Request&) {
  exchange.Answer(200, "Lp-Trickle-Seq: 9\r\nLp-Trickle-Closed: terminated\r\n");
}

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

}  // namespace
}  // namespace framelock::trickle
