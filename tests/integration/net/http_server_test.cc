// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <stdexcept>

#include "tests/support/http_probe.h"
#include "tests/support/loop_thread.h"

namespace framelock::net {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;

// A server whose handler the test gives; handlers run on the loop's thread.
class HttpServerTest : public ::testing::Test {
 protected:
  void Start(HttpServer::Handler handler, HttpServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server_ = thread_.Call([&] {
      auto server = HttpServer::Listen(thread_.loop(), options, std::move(handler));
      EXPECT_TRUE(server.ok()) << server.error().message;
      return std::move(server).value();
    });
    port_ = server_->port();
  }
  void TearDown() override {
    thread_.Stop();
    server_.reset();
  }
  // Waits until the server has let go of all connections.
  bool AllGone(std::chrono::milliseconds timeout = 3s) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (std::chrono::steady_clock::now() < deadline) {
      if (thread_.Call([&] { return server_->connections(); }) == 0) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  test::LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

Task<> Echo(HttpExchange& exchange) {
  auto body = co_await exchange.ReadWholeBody(1 << 20);
  HttpResponse response;
  if (!body.ok()) {
    response.status = body.error().code == ErrorCode::kResourceLimit ? 413 : 400;
    response.close = true;
  } else {
    response.body = exchange.request().method + " " + exchange.request().path + "?" +
                    exchange.request().query + " " + *body;
  }
  static_cast<void>(co_await exchange.Respond(std::move(response)));
}

TEST_F(HttpServerTest, AnswersWithLengthAndQuery) {
  Start(Echo);
  const auto answer = Ask(port_, "POST", "/a%2Fb/0?x=1", {}, "hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /a%2Fb/0?x=1 hello");
  EXPECT_EQ(answer.headers.count("date"), 1u);
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Start(Echo);
  HttpProbe probe(port_);
  probe.Send(
      "POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\naa"
      "POST /2 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nbb\r\n0\r\nT: "
      "r\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
  for (const char* expected : {"POST /1? aa", "POST /2? bb", "GET /3? "}) {
    ASSERT_TRUE(probe.ReadHead());
    EXPECT_EQ(probe.Body(), expected);
  }
}

TEST_F(HttpServerTest, TakesARequestByteByByte) {
  Start(Echo);
  HttpProbe probe(port_);
  const std::string request =
      "\r\nPOST /slow HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
  for (const char c : request) probe.Send({&c, 1});
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "POST /slow? hello!");
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  Start(Echo);
  HttpProbe probe(port_);
  probe.Send("GET /old HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Header("connection"), "close");
  EXPECT_EQ(probe.Body(), "GET /old? ");
  EXPECT_TRUE(probe.PeerClosed());
  HttpProbe keeping(port_);
  keeping.Send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(keeping.ReadHead());
  EXPECT_EQ(keeping.Header("connection"), "keep-alive");
}

struct BadRequest {
  const char* name;
  const char* bytes;
  int status;
};

class BadRequestTest : public HttpServerTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedAndTheConnectionCloses) {
  Start(Echo);
  HttpProbe probe(port_);
  probe.Send(GetParam().bytes);
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.status(), GetParam().status);
  EXPECT_EQ(probe.Header("connection"), "close");
  EXPECT_FALSE(probe.Body().value_or("").empty());
  EXPECT_TRUE(probe.PeerClosed());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadRequestTest,
    ::testing::Values(
        BadRequest{"NoRequest", "nonsense\r\n\r\n", 400},
        BadRequest{"NoVersion", "GET /\r\n\r\n", 400},
        BadRequest{"Version2", "GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505},
        BadRequest{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        BadRequest{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        BadRequest{"SpaceBeforeColon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        BadRequest{"NoColon", "GET / HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n", 400},
        BadRequest{"LengthThenCoding",
                   "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"CodingThenLength",
                   "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
                   "Content-Length: 5\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{
            "GzipChunked",
            "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        BadRequest{"Gzip", "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        BadRequest{"XChunked", "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n",
                   501},
        BadRequest{"CodingInHttp10",
                   "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"NegativeLength", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
                   400},
        BadRequest{"TwoLengths",
                   "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                   400},
        BadRequest{"UnknownExpectation",
                   "POST / HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n",
                   417}),
    [](const auto& test) { return test.param.name; });

TEST_F(HttpServerTest, BrokenChunkIsAProtocolErrorNotAnEnd) {
  Start(Echo);
  for (const char* chunk :
       {"zz\r\nhello\r\n", "5\r\nhelloXX0\r\n\r\n", "ffffffffffffffffffff\r\n", "-1\r\n"}) {
    HttpProbe probe(port_);
    probe.RequestChunked("POST", "/").Send(chunk);
    ASSERT_TRUE(probe.ReadHead()) << chunk;
    EXPECT_EQ(probe.status(), 400) << chunk;
    EXPECT_TRUE(probe.PeerClosed());
  }
}

TEST_F(HttpServerTest, EndlessHeadAndEndlessChunkHeaderAreBounded) {
  Start(Echo);
  HttpProbe head(port_);
  head.Send("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(200'000, 'x'));
  ASSERT_TRUE(head.ReadHead());
  EXPECT_EQ(head.status(), 431);
  HttpProbe chunk(port_);
  chunk.RequestChunked("POST", "/").Send("1;" + std::string(200'000, 'x'));
  ASSERT_TRUE(chunk.ReadHead());
  EXPECT_EQ(chunk.status(), 400);
}

TEST_F(HttpServerTest, SlowHeadTimesOut) {
  HttpServerOptions options;
  options.header_timeout = 1s;
  Start(Echo, options);
  HttpProbe probe(port_);
  probe.Send("GET / HT");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.status(), 408);
}

TEST_F(HttpServerTest, AnswersBeforeTheBodyEnds) {
  Start([](HttpExchange& exchange) -> Task<> {
    HttpResponse response;
    response.status = 404;
    response.close = true;
    static_cast<void>(co_await exchange.Respond(std::move(response)));
  });
  HttpProbe probe(port_);
  probe.RequestChunked("POST", "/").Chunk("some");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.status(), 404);
  EXPECT_EQ(probe.Header("connection"), "close");
  // Late bytes do not turn the end into a reset.
  probe.Chunk("late");
  EXPECT_TRUE(probe.PeerClosed());
}

TEST_F(HttpServerTest, DrainsASmallUnreadBodyAndGoesOn) {
  Start([](HttpExchange& exchange) -> Task<> {
    HttpResponse response;
    response.body = exchange.request().path;
    static_cast<void>(co_await exchange.Respond(std::move(response)));
  });
  HttpProbe probe(port_);
  probe.Request("POST", "/1", {}, "unread").Request("GET", "/2");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "/1");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "/2");
}

TEST_F(HttpServerTest, ContinueComesWhenTheHandlerReads) {
  Start([](HttpExchange& exchange) -> Task<> {
    if (exchange.request().path == "/never") {
      HttpResponse refused;
      refused.status = 403;
      static_cast<void>(co_await exchange.Respond(std::move(refused)));
    } else {
      co_await Echo(exchange);
    }
  });
  HttpProbe probe(port_);
  probe.RequestChunked("POST", "/read", {{"Expect", "100-continue"}});
  EXPECT_FALSE(probe.ReadHead(300ms));
  EXPECT_EQ(probe.interim(), 1);
  probe.Chunk("x").EndChunks();
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "POST /read? x");
  HttpProbe refused(port_);
  refused.RequestChunked("POST", "/never", {{"Expect", "100-continue"}});
  ASSERT_TRUE(refused.ReadHead());
  EXPECT_EQ(refused.interim(), 0);
  EXPECT_EQ(refused.status(), 403);
  EXPECT_EQ(refused.Header("connection"), "close");
}

TEST_F(HttpServerTest, ReadTimesOutWithoutLosingBytes) {
  Start([](HttpExchange& exchange) -> Task<> {
    std::array<std::byte, 16> buffer;
    std::string seen;
    for (;;) {
      const auto size = co_await exchange.ReadBody(buffer, std::chrono::milliseconds(50));
      if (!size.ok() && size.error().code == ErrorCode::kTimeout) {
        seen += '.';
        static_cast<void>(co_await exchange.SendContinue());
        continue;
      }
      if (!size.ok() || *size == 0) break;
      seen.append(reinterpret_cast<const char*>(buffer.data()), *size);
    }
    HttpResponse response;
    response.body = seen;
    static_cast<void>(co_await exchange.Respond(std::move(response)));
  });
  HttpProbe probe(port_);
  probe.RequestChunked("POST", "/");
  EXPECT_FALSE(probe.ReadHead(180ms));
  EXPECT_GE(probe.interim(), 2);
  probe.Send("3\r\na");
  EXPECT_FALSE(probe.ReadHead(120ms));
  probe.Send("bc\r\n0\r\n\r\n");
  ASSERT_TRUE(probe.ReadHead());
  std::string body = probe.Body().value_or("");
  std::erase(body, '.');
  EXPECT_EQ(body, "abc");
}

TEST_F(HttpServerTest, InterruptEndsAWaitAndIsRememberedOnce) {
  std::atomic<HttpExchange*> waiting = nullptr;
  Start([&](HttpExchange& exchange) -> Task<> {
    exchange.Interrupt();
    std::string codes;
    for (int i = 0; i < 2; ++i) {
      if (i == 1) waiting = &exchange;
      const Status status = co_await exchange.WaitForPeerClose();
      codes += ErrorCodeName(status.error().code);
      codes += ' ';
    }
    HttpResponse response;
    response.body = codes;
    static_cast<void>(co_await exchange.Respond(std::move(response)));
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  while (waiting == nullptr) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(probe.ReadHead(100ms));
  thread_.Call([&] { waiting.load()->Interrupt(); });
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "cancelled cancelled ");
}

TEST_F(HttpServerTest, NoticesAPeerThatLeavesWhileWaiting) {
  std::promise<ErrorCode> ended;
  Start([&](HttpExchange& exchange) -> Task<> {
    const Status status = co_await exchange.WaitForPeerClose();
    ended.set_value(status.error().code);
    EXPECT_TRUE(exchange.peer_closed());
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  EXPECT_FALSE(probe.ReadHead(50ms));
  probe.Close();
  auto future = ended.get_future();
  ASSERT_EQ(future.wait_for(3s), std::future_status::ready);
  EXPECT_EQ(future.get(), ErrorCode::kClosed);
  EXPECT_TRUE(AllGone());
}

TEST_F(HttpServerTest, PipelinedBytesSurviveAWaitAndDoNotHideAnEnd) {
  std::atomic<int> closed = 0;
  std::atomic<HttpExchange*> waiting = nullptr;
  Start([&](HttpExchange& exchange) -> Task<> {
    if (exchange.request().path != "/wait") co_return co_await Echo(exchange);
    waiting = &exchange;
    const Status status = co_await exchange.WaitForPeerClose();
    if (status.error().code == ErrorCode::kClosed) ++closed;
    HttpResponse response;
    static_cast<void>(co_await exchange.Respond(std::move(response)));
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/wait").Request("POST", "/next", {}, "behind");
  EXPECT_FALSE(probe.ReadHead(100ms));
  thread_.Call([&] { waiting.load()->Interrupt(); });
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "POST /next? behind");
  // More than the server reads ahead, then the end.
  probe.Request("GET", "/wait").Send(std::string(300'000, 'x'));
  probe.Close();
  EXPECT_TRUE(AllGone(5s));
  EXPECT_EQ(closed, 1);
}

TEST_F(HttpServerTest, StreamsChunksAtOnce) {
  std::unique_ptr<Signal> go;
  go = thread_.Call([&] { return std::make_unique<Signal>(thread_.loop()); });
  Start([&](HttpExchange& exchange) -> Task<> {
    HttpResponse head;
    head.headers.emplace_back("Content-Type", "text/plain");
    static_cast<void>(co_await exchange.BeginResponse(std::move(head)));
    for (const std::string_view piece : {"one", "", "two"}) {
      static_cast<void>(co_await exchange.WriteBody(std::as_bytes(std::span(piece))));
      if (piece.empty()) co_await go->Wait();
    }
    static_cast<void>(co_await exchange.EndResponse());
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Some(), "one");
  EXPECT_EQ(probe.Some(100ms), std::nullopt);
  thread_.Call([&] { go->NotifyAll(); });
  EXPECT_EQ(probe.Some(), "two");
  EXPECT_EQ(probe.Some(), "");
  HttpProbe old(port_);
  old.Send("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(old.ReadHead());
  std::this_thread::sleep_for(50ms);
  thread_.Call([&] { go->NotifyAll(); });
  EXPECT_EQ(old.Body(), "onetwo");
  thread_.Stop();
}

// A handler that leaves before all was sent has not answered: the peer must not take the next
// answer for the rest of this one.
TEST_F(HttpServerTest, AnAnswerWithoutItsRestEndsTheConnection) {
  const std::vector<std::byte> large(8 << 20);
  std::atomic<int> asked{0};
  Start([&](HttpExchange& exchange) -> Task<> {
    EXPECT_FALSE(exchange.TryBeginResponse({}, large, Then::kEnd));
    ++asked;
    co_return;
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/").Request("GET", "/next");
  // Who reads meanwhile makes room for all of it.
  while (asked == 0) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_TRUE(probe.PeerClosed());
  EXPECT_EQ(asked, 1);
  thread_.Stop();
}

// Pieces far larger than the socket takes at once, written past the waiting handler.
TEST_F(HttpServerTest, WritesPastAWaitingHandlerAndLeavesItTheRest) {
  std::vector<std::byte> large(8 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i / 251);
  std::atomic<HttpExchange*> waiting{nullptr};
  Start([&](HttpExchange& exchange) -> Task<> {
    const std::string_view first = "first ";
    static_cast<void>(co_await exchange.BeginResponse({}, std::as_bytes(std::span(first))));
    waiting = &exchange;
    static_cast<void>(co_await exchange.WaitForPeerClose());
    const Status flushed = co_await exchange.FlushBody();
    EXPECT_TRUE(flushed.ok()) << flushed.error().message;
    static_cast<void>(co_await exchange.EndResponse());
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Some(), "first ");
  thread_.Call([&] {
    const std::string_view small = "small ";
    EXPECT_TRUE(waiting.load()->TryWriteBody(std::as_bytes(std::span(small)), Then::kMore));
    EXPECT_FALSE(waiting.load()->TryWriteBody(large, Then::kMore));
    waiting.load()->Interrupt();
  });
  EXPECT_EQ(probe.Some(), "small ");
  const auto body = probe.Body();
  ASSERT_TRUE(body);
  EXPECT_TRUE(std::equal(body->begin(), body->end(), large.begin(), large.end(),
                         [](char got, std::byte sent) { return std::byte(got) == sent; }));
  thread_.Stop();
}

TEST_F(HttpServerTest, AnswersPastAWaitingHandler) {
  std::atomic<HttpExchange*> waiting{nullptr};
  Start([&](HttpExchange& exchange) -> Task<> {
    waiting = &exchange;
    EXPECT_EQ((co_await exchange.WaitForPeerClose()).error().code, ErrorCode::kCancelled);
    EXPECT_TRUE((co_await exchange.FlushBody()).ok());
  });
  HttpResponse head;
  head.headers.emplace_back("X", "y");
  const std::string_view piece = "piece";
  const auto bytes = std::as_bytes(std::span(piece));
  HttpProbe probe(port_);
  for (const bool whole : {true, false}) {
    waiting = nullptr;
    probe.Request("GET", "/");
    while (waiting.load() == nullptr) std::this_thread::sleep_for(1ms);
    thread_.Call([&] {
      HttpExchange& exchange = *waiting.load();
      EXPECT_TRUE(exchange.TryBeginResponse(head, bytes, whole ? Then::kEnd : Then::kMore));
      EXPECT_FALSE(exchange.TryBeginResponse(head, bytes, Then::kEnd)) << "answered already";
      if (!whole) {
        EXPECT_TRUE(exchange.TryWriteBody({}, Then::kEnd));
      }
      EXPECT_FALSE(exchange.TryWriteBody(bytes, Then::kMore)) << "ended already";
      exchange.Interrupt();
    });
    ASSERT_TRUE(probe.ReadHead());
    EXPECT_EQ(probe.Header("x"), "y");
    EXPECT_EQ(probe.Body(), "piece");
  }
  thread_.Stop();
}

TEST_F(HttpServerTest, ExceptionAndSilenceAnswer500) {
  Start([](HttpExchange& exchange) -> Task<> {
    if (exchange.request().path == "/throw") throw std::runtime_error("thrown");
    co_return;
  });
  EXPECT_EQ(Ask(port_, "GET", "/throw").status, 500);
  EXPECT_EQ(Ask(port_, "GET", "/silent").status, 500);
}

TEST_F(HttpServerTest, AHeaderCannotBreakOutOfItsLine) {
  Start([](HttpExchange& exchange) -> Task<> {
    HttpResponse response;
    response.headers.emplace_back("X", "a\r\nSet-Cookie: b");
    const Status sent = co_await exchange.Respond(std::move(response));
    EXPECT_FALSE(sent.ok());
  });
  EXPECT_EQ(Ask(port_, "GET", "/").status, 500);
}

TEST_F(HttpServerTest, DropsAPeerThatTakesNothing) {
  HttpServerOptions options;
  options.write_timeout = 1s;
  std::promise<ErrorCode> ended;
  Start(
      [&](HttpExchange& exchange) -> Task<> {
        static_cast<void>(co_await exchange.BeginResponse({}));
        const std::vector<std::byte> piece(1 << 20);
        for (;;) {
          const Status sent = co_await exchange.WriteBody(piece);
          if (sent.ok()) continue;
          ended.set_value(sent.error().code);
          co_return;
        }
      },
      options);
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  auto future = ended.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(future.get(), ErrorCode::kTimeout);
  EXPECT_TRUE(AllGone());
}

TEST_F(HttpServerTest, OneConnectionTooManyGets503) {
  HttpServerOptions options;
  options.max_connections = 2;
  Start(Echo, options);
  HttpProbe first(port_);
  HttpProbe second(port_);
  while (thread_.Call([&] { return server_->connections(); }) < 2) std::this_thread::sleep_for(1ms);
  HttpProbe third(port_);
  ASSERT_TRUE(third.ReadHead());
  EXPECT_EQ(third.status(), 503);
  EXPECT_TRUE(third.PeerClosed());
  first.Close();
  second.Close();
  EXPECT_TRUE(AllGone());
  EXPECT_EQ(Ask(port_, "GET", "/").status, 200);
}

TEST_F(HttpServerTest, StopAcceptingLetsOpenRequestsFinish) {
  Start(Echo);
  HttpProbe idle(port_);
  HttpProbe open(port_);
  open.RequestChunked("POST", "/").Chunk("x");
  while (thread_.Call([&] { return server_->connections(); }) < 2) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);
  thread_.Call([&] { server_->StopAccepting(); });
  EXPECT_TRUE(idle.PeerClosed());
  open.EndChunks();
  ASSERT_TRUE(open.ReadHead());
  EXPECT_EQ(open.Header("connection"), "close");
  EXPECT_EQ(open.Body(), "POST /? x");
  EXPECT_TRUE(AllGone());
}

TEST_F(HttpServerTest, LoopEndDestroysWaitingHandlers) {
  std::atomic<int> alive = 0;
  struct Alive {
    explicit Alive(std::atomic<int>& counter) : count(counter) { ++count; }
    ~Alive() { --count; }
    std::atomic<int>& count;
  };
  Start([&](HttpExchange& exchange) -> Task<> {
    const Alive here(alive);
    static_cast<void>(co_await exchange.WaitForPeerClose());
  });
  HttpProbe probe(port_);
  probe.Request("GET", "/");
  while (alive == 0) std::this_thread::sleep_for(1ms);
  thread_.Stop();
  EXPECT_EQ(alive, 0);
}

TEST(HttpServerListen, RefusesBadAddresses) {
  Loop loop;
  for (const char* listen : {"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "::1:80"}) {
    HttpServerOptions options;
    options.listen = listen;
    EXPECT_FALSE(HttpServer::Listen(loop, options, Echo).ok()) << listen;
  }
}

}  // namespace
}  // namespace framelock::net
