// SPDX-License-Identifier: Apache-2.0
// What a subscriber makes of lost connections, missing channels and refusals.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/integration/trickle/subscriber_script.h"

namespace framelock::trickle {
namespace {

TEST(Subscriber, ResumesABrokenSegmentWithoutRepeatingBytes) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    exchange.BeginBody(4);
    exchange.Chunk("abcdef");
    std::this_thread::sleep_for(milliseconds(50));  // let it be read before the reset
    exchange.Reset();
  });
  server.On("GET /base/ch/4", Segment(4, "abcdefghi"));
  server.On("GET /base/ch/5", [](Exchange& exchange, const Request& request) {
    std::this_thread::sleep_for(milliseconds(200));
    Segment(5, "five")(exchange, request);
  });
  server.On("GET /base/ch/6", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|abcdefghi|five");
  const SubscriberStats stats = (*subscriber)->stats();
  EXPECT_EQ(stats.reconnects, 1u);
  EXPECT_EQ(stats.missed_segments, 0u);
}

TEST(Subscriber, MarksAGapWhenABrokenSegmentIsGone) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    exchange.BeginBody(4);
    exchange.Chunk("abc");
    std::this_thread::sleep_for(milliseconds(50));
    exchange.Reset();
  });
  server.On("GET /base/ch/4", [](Exchange& exchange, const Request&) {
    exchange.Answer(470, "Lp-Trickle-Seq: 4\r\nLp-Trickle-Latest: 11\r\n");
  });
  server.On("GET /base/ch/5", [](Exchange& exchange, const Request&) { exchange.Hold(); });
  server.On("GET /base/ch/11", Segment(11, "eleven"));
  server.On("GET /base/ch/12", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|abc!|eleven");
  EXPECT_EQ((*subscriber)->stats().missed_segments, 7u);
}

TEST(Subscriber, LeavesTheSegmentOfAPublisherThatVanished) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    exchange.BeginBody(4);
    exchange.Chunk("abc");
    exchange.Hold();
  });
  server.On("GET /base/ch/5", Segment(5, "five"));
  server.On("GET /base/ch/6", AnswerClosed);
  SubscriberOptions options = FastOptions(server);
  options.leave_silent_after = milliseconds(200);
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).text, "|abc!|five");
  EXPECT_EQ((*subscriber)->stats().missed_segments, 1u);
}

TEST(Subscriber, WaitsForAClosedPortToOpen) {
  std::uint16_t port = 0;
  {
    const ScriptedServer gone;
    port = gone.port();
  }
  SubscriberOptions options;
  options.url = "http://127.0.0.1:" + std::to_string(port) + "/base/ch";
  options.retry_initial = milliseconds(20);
  options.retry_max = milliseconds(50);
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ((*subscriber)->Read(milliseconds(200)).error().code, ErrorCode::kTimeout);
  EXPECT_NE((*subscriber)->stats().last_error, "");
  ScriptedServer server(port);
  server.On("GET /base/ch/-2", Segment(0, "here"));
  server.On("GET /base/ch/1", AnswerClosed);
  EXPECT_EQ(ReadAll(**subscriber).text, "|here");
  EXPECT_GE((*subscriber)->stats().reconnects, 2u);
}

TEST(Subscriber, WaitsForAChannelThatDoesNotExistYet) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request& request) {
    if (request.ordinal < 3) return exchange.Answer(404, "", "Stream not found\n");
    Segment(0, "born")(exchange, request);
  });
  server.On("GET /base/ch/1", AnswerClosed);
  auto subscriber = Subscriber::Open(FastOptions(server));
  EXPECT_EQ(ReadAll(**subscriber).text, "|born");
  EXPECT_LE(server.connections(), 2u);  // the 404s did not cost connections
}

TEST(Subscriber, GivesUpOnAChannelThatNeverComes) {
  ScriptedServer server;
  SubscriberOptions options = FastOptions(server);
  options.give_up_after = milliseconds(300);
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).end->code, ErrorCode::kNotFound);
}

struct Refusal {
  const char* name;
  const char* answer;
  ErrorCode code;
};
class SubscriberRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(SubscriberRefusal, EndsWithAClearError) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [](Exchange& exchange, const Request&) {
    exchange.Send(GetParam().answer);
    exchange.Close();
  });
  SubscriberOptions options = FastOptions(server);
  options.give_up_after = milliseconds(300);
  auto subscriber = Subscriber::Open(options);
  const Received received = ReadAll(**subscriber);
  EXPECT_EQ(received.text, "");
  EXPECT_EQ(received.end->code, GetParam().code) << received.end->message;
}

INSTANTIATE_TEST_SUITE_P(
    All, SubscriberRefusal,
    ::testing::Values(
        Refusal{"Html",
                "HTTP/1.1 200 OK\r\nContent-Type: text/HTML; charset=utf-8\r\n"
                "Content-Length: 6\r\n\r\n<html>",
                ErrorCode::kInvalidArgument},
        Refusal{"NoSeq", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ErrorCode::kProtocol},
        Refusal{"BadSeq", "HTTP/1.1 200 OK\r\nLp-Trickle-Seq: -4\r\nContent-Length: 2\r\n\r\nhi",
                ErrorCode::kProtocol},
        Refusal{"Forbidden", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
                ErrorCode::kInvalidArgument},
        Refusal{"Redirect",
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                ErrorCode::kInvalidArgument},
        Refusal{"Unavailable", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
                ErrorCode::kUnavailable},
        Refusal{"CutErrorBody", "HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nsome",
                ErrorCode::kNotFound},
        Refusal{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n\r\n", ErrorCode::kProtocol},
        Refusal{"HalfHead", "HTTP/1.1 200 OK\r\nLp-Trick", ErrorCode::kUnavailable}),
    [](const auto& row) { return row.param.name; });

TEST(Subscriber, LeavesErrorBodiesThatDoNotEnd) {
  ScriptedServer server;
  server.On("GET /base/ch/-2", [&](Exchange& exchange, const Request& request) {
    exchange.Send("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    if (request.ordinal == 0) return exchange.Hold();  // silent: left after a time
    while (!server.stopping() && !exchange.WaitForPeer(milliseconds(0))) {
      exchange.Chunk(std::string(1000, 'x'));  // endless: left after some bytes
    }
    exchange.Close();
  });
  SubscriberOptions options = FastOptions(server);
  options.give_up_after = milliseconds(2500);
  auto subscriber = Subscriber::Open(options);
  EXPECT_EQ(ReadAll(**subscriber).end->code, ErrorCode::kNotFound);
  EXPECT_GE(server.Count("GET /base/ch/-2"), 3u);
}

}  // namespace
}  // namespace framelock::trickle
