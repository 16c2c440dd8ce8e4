// SPDX-License-Identifier: Apache-2.0
#include "trickle/publisher.h"

#include <gtest/gtest.h>

#include <time.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/scripted_server.h"

namespace framelock::trickle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ScriptedServer;
using Exchange = ScriptedServer::Exchange;
using Request = ScriptedServer::Request;

PublisherOptions FastOptions(const ScriptedServer& server) {
  PublisherOptions options;
  options.url = server.Url("/base/ch");
  options.retry_initial = milliseconds(20);
  options.retry_max = milliseconds(100);
  options.give_up_after = milliseconds(1500);
  return options;
}

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// A channel as a trickle server would keep it, of the segments whose first byte has come.
class Channel {
 public:
  explicit Channel(ScriptedServer& server) {
    server.On("POST /base/ch", [](Exchange& exchange, const Request& request) {
      exchange.Answer(request.headers.contains("expect-content") ? 200 : 400);
    });
    server.On("GET /base/ch/next", [this](Exchange& exchange, const Request&) {
      const std::string next = std::to_string(Next());
      exchange.Answer(200, "Lp-Trickle-Latest: " + next + "\r\n", next);
    });
    server.On("POST *",
              [this](Exchange& exchange, const Request& request) { Take(exchange, request); });
    server.On("DELETE /base/ch", [this](Exchange& exchange, const Request&) {
      {
        const std::lock_guard lock(mutex_);
        deleted_ = true;
      }
      exchange.Answer(200);
    });
  }

  // Before each chunk is read, `interim` is sent.
  void Take(Exchange& exchange, const Request& request, std::string_view interim = "",
            std::string_view headers = "") {
    const auto seq = std::stoull(request.target.substr(request.target.rfind('/') + 1));
    {
      const std::lock_guard lock(mutex_);
      if (request.headers.contains("lp-trickle-reset")) resets_.push_back(seq);
    }
    while (const auto chunk = exchange.ReadChunk()) {
      if (chunk->empty()) {
        exchange.Answer(200,
                        "Lp-Trickle-Seq: " + std::to_string(seq) + "\r\n" + std::string(headers));
        return;
      }
      Append(seq, *chunk);
      exchange.Send(interim);
    }
    exchange.Close();
  }
  // As servers before 2026-07: no Lp-Trickle-Seq in the answer.
  void TakeSilently(Exchange& exchange, const Request& request) {
    const std::optional<std::string> body = exchange.ReadBody();
    if (!body) return exchange.Close();
    Append(std::stoull(request.target.substr(request.target.rfind('/') + 1)), *body);
    exchange.Answer(200);
  }
  void Append(std::uint64_t seq, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    segments_[seq] += bytes;
    next_ = seq + 1;
    changed_.notify_all();
  }
  void Forget() {
    const std::lock_guard lock(mutex_);
    segments_.clear();
  }

  bool WaitFor(std::uint64_t seq, const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(5), [&] { return segments_[seq] == text; });
  }
  std::uint64_t Next() {
    const std::lock_guard lock(mutex_);
    return next_;
  }
  void SetNext(std::uint64_t next) {
    const std::lock_guard lock(mutex_);
    next_ = next;
  }
  std::map<std::uint64_t, std::string> segments() {
    const std::lock_guard lock(mutex_);
    return segments_;
  }
  std::vector<std::uint64_t> resets() {
    const std::lock_guard lock(mutex_);
    return resets_;
  }
  bool deleted() {
    const std::lock_guard lock(mutex_);
    return deleted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::string> segments_;
  std::vector<std::uint64_t> resets_;
  std::uint64_t next_ = 0;
  bool deleted_ = false;
};

TEST(Publisher, CreatesResumesWritesAndDeletes) {
  ScriptedServer server;
  Channel channel(server);
  channel.SetNext(5);
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE(publisher.ok());
  ASSERT_TRUE((*publisher)->Write(Bytes("one")).ok());
  EXPECT_TRUE(channel.WaitFor(5, "one"));  // while the segment is open
  ASSERT_TRUE((*publisher)->Write(Bytes("two")).ok());
  EXPECT_TRUE(channel.WaitFor(5, "onetwo"));
  ASSERT_TRUE((*publisher)->BeginSegment().ok());
  ASSERT_TRUE((*publisher)->Write(Bytes("three")).ok());
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ(channel.segments()[5], "onetwo");
  EXPECT_EQ(channel.segments()[6], "three");
  EXPECT_EQ(channel.resets(), std::vector<std::uint64_t>{5});
  EXPECT_TRUE(channel.deleted());
  const PublisherStats stats = (*publisher)->stats();
  EXPECT_EQ(stats.segments, 2u);
  EXPECT_EQ(stats.bytes, 11u);
  EXPECT_EQ(stats.dropped_segments, 0u);
  EXPECT_EQ((*publisher)->Write(Bytes("late")).error().code, ErrorCode::kClosed);
}

TEST(Publisher, StartsAtZeroOnServersWithoutNextAndWithoutSeq) {  // C7
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch", [](Exchange& exchange, const Request&) { exchange.Answer(405); });
  server.On("GET /base/ch/next",
            [](Exchange& exchange, const Request&) { exchange.Answer(400, "", "Invalid idx\n"); });
  server.On("POST *", [&](Exchange& exchange, const Request& request) {
    channel.TakeSilently(exchange, request);
  });
  auto publisher = Publisher::Open(FastOptions(server));
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_TRUE((*publisher)->Write(Bytes(text)).ok());
    ASSERT_TRUE((*publisher)->BeginSegment().ok());
  }
  EXPECT_TRUE((*publisher)->Close().ok());
  const std::map<std::uint64_t, std::string> expected{{0, "a"}, {1, "b"}, {2, "c"}};
  EXPECT_EQ(channel.segments(), expected);
  EXPECT_TRUE(channel.resets().empty());
}

// C1
TEST(Publisher, SwallowsInterimAnswersWhileIdleAndWhileWriting) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST *", [&](Exchange& exchange, const Request& request) {
    for (int i = 0; i < 20; ++i) {
      exchange.Send("HTTP/1.1 100 Continue\r\n\r\n");
      std::this_thread::sleep_for(milliseconds(2));
    }
    channel.Take(exchange, request, "HTTP/1.1 100 Continue\r\n\r\n");
  });
  auto publisher = Publisher::Open(FastOptions(server));
  std::this_thread::sleep_for(milliseconds(100));
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_TRUE((*publisher)->Write(Bytes(text)).ok());
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ(channel.segments()[0], "abc");
}

// C2
TEST(Publisher, NoticesTheEndOfTheChannelWhileIdle) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch/1", [](Exchange& exchange, const Request&) {
    std::this_thread::sleep_for(milliseconds(100));
    exchange.Answer(200,
                    "Lp-Trickle-Seq: 1\r\nLp-Trickle-Closed: terminated\r\nConnection: close\r\n");
    exchange.Close();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("a")).ok());
  ASSERT_TRUE((*publisher)->BeginSegment().ok());
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ((*publisher)->BeginSegment().error().code, ErrorCode::kClosed);
  EXPECT_EQ((*publisher)->Write(Bytes("b")).error().code, ErrorCode::kClosed);
}

TEST(Publisher, NoticesAnEarlyNotFoundAndWaitsForTheChannel) {
  ScriptedServer server;
  Channel channel(server);
  std::atomic<bool> exists{false};
  server.On("POST /base/ch", [](Exchange& exchange, const Request&) { exchange.Answer(404); });
  server.On("POST *", [&](Exchange& exchange, const Request& request) {
    if (exists) return channel.Take(exchange, request);
    exchange.Answer(404, "Connection: close\r\n", "Stream not found\n");
    exchange.Close();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("kept")).ok());
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ((*publisher)->stats().last_error, "the channel does not exist");
  EXPECT_GE(server.Count("POST /base/ch/0"), 2u);
  exists = true;
  EXPECT_TRUE(channel.WaitFor(0, "kept"));
  EXPECT_TRUE((*publisher)->Close().ok());
}

TEST(Publisher, GivesUpOnAChannelThatNeverComes) {
  ScriptedServer server;  // 404 to everything
  PublisherOptions options = FastOptions(server);
  options.give_up_after = milliseconds(300);
  auto publisher = Publisher::Open(options);
  Status status;
  for (int i = 0; i < 100 && status; ++i) {
    status = (*publisher)->Write(Bytes("x"));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
}

TEST(Publisher, TakesEarlyNotFoundAfterASegmentForTheEnd) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch/1", [](Exchange& exchange, const Request&) {
    std::this_thread::sleep_for(milliseconds(100));
    exchange.Answer(404, "Connection: close\r\n", "Stream not found\n");
    exchange.Close();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("a")).ok());
  ASSERT_TRUE((*publisher)->BeginSegment().ok());
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ((*publisher)->Write(Bytes("b")).error().code, ErrorCode::kClosed);
}

// C5
TEST(Publisher, UsesANewConnectionAfterConnectionClose) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST *", [&](Exchange& exchange, const Request& request) {
    channel.Take(exchange, request, "", "Connection: close\r\n");
    exchange.Close();
  });
  // Segment 1 is closed by somebody while its POST is idle: the number is gone, the bytes are not.
  server.On("POST /base/ch/1", [](Exchange& exchange, const Request&) {
    exchange.Answer(200, "Lp-Trickle-Seq: 1\r\nConnection: close\r\n");
    exchange.Close();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  for (const char* text : {"a", "b", "c", "d"}) {
    ASSERT_TRUE((*publisher)->Write(Bytes(text)).ok());
    ASSERT_TRUE((*publisher)->BeginSegment().ok());
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE((*publisher)->Close().ok());
  const std::map<std::uint64_t, std::string> expected{{0, "a"}, {2, "b"}, {3, "c"}, {4, "d"}};
  EXPECT_EQ(channel.segments(), expected);
  EXPECT_EQ((*publisher)->stats().dropped_segments, 0u);
}

TEST(Publisher, RepeatsASegmentThatWasNotBegun) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch/0", [&](Exchange& exchange, const Request& request) {
    if (request.ordinal > 0) return channel.Take(exchange, request);
    std::this_thread::sleep_for(milliseconds(50));
    exchange.Reset();
  });
  PublisherOptions options = FastOptions(server);
  options.create_channel = false;
  options.resume_numbering = false;
  auto publisher = Publisher::Open(options);
  std::this_thread::sleep_for(milliseconds(200));
  ASSERT_TRUE((*publisher)->Write(Bytes("whole")).ok());
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ(channel.segments()[0], "whole");
  EXPECT_GE((*publisher)->stats().reconnects, 1u);
}

TEST(Publisher, ContinuesABrokenSegmentThatTheServerStillHas) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch/0", [&](Exchange& exchange, const Request& request) {
    if (request.ordinal > 0) return channel.Take(exchange, request);
    channel.Append(0, *exchange.ReadChunk());
    exchange.Reset();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("first,")).ok());
  EXPECT_TRUE(channel.WaitFor(0, "first,"));
  std::this_thread::sleep_for(milliseconds(100));
  ASSERT_TRUE((*publisher)->Write(Bytes("second")).ok());
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ(channel.segments()[0], "first,second");
  EXPECT_EQ((*publisher)->stats().reposted_segments, 1u);
  EXPECT_EQ((*publisher)->stats().segments, 1u);
}

TEST(Publisher, StartsABrokenSegmentAgainWhenTheServerForgotIt) {
  ScriptedServer server;
  Channel channel(server);
  server.On("POST /base/ch/1", [&](Exchange& exchange, const Request& request) {
    if (request.ordinal > 0) return channel.Take(exchange, request);
    (void)exchange.ReadChunk();
    channel.SetNext(0);  // the server was restarted and knows nothing
    exchange.Reset();
  });
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("zero")).ok());
  ASSERT_TRUE((*publisher)->BeginSegment().ok());
  EXPECT_TRUE(channel.WaitFor(0, "zero"));
  std::this_thread::sleep_for(milliseconds(50));
  channel.Forget();
  ASSERT_TRUE((*publisher)->Write(Bytes("one,")).ok());
  EXPECT_TRUE(channel.WaitFor(0, "one,"));
  ASSERT_TRUE((*publisher)->Write(Bytes("more")).ok());
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ(channel.segments()[0], "one,more");
  EXPECT_EQ(channel.resets(), (std::vector<std::uint64_t>{0, 0}));
}

TEST(Publisher, DropsWholeSegmentsWhenTheServerStalls) {
  ScriptedServer server;
  Channel channel(server);
  std::atomic<bool> stalled{true};
  server.On("POST *", [&](Exchange& exchange, const Request& request) {
    while (stalled && !server.stopping()) std::this_thread::sleep_for(milliseconds(5));
    channel.Take(exchange, request);
  });
  PublisherOptions options = FastOptions(server);
  options.queue_bytes = 4u << 20;
  auto publisher = Publisher::Open(options);
  const std::string segment(1u << 20, 's');
  constexpr std::uint64_t kWritten = 40;
  for (std::uint64_t i = 0; i < kWritten; ++i) {
    ASSERT_TRUE((*publisher)->BeginSegment().ok());
    ASSERT_TRUE((*publisher)->Write(Bytes(segment)).ok());
    ASSERT_LE((*publisher)->stats().queued_bytes, options.queue_bytes);
  }
  EXPECT_GE((*publisher)->stats().dropped_segments, 5u);
  stalled = false;
  EXPECT_TRUE((*publisher)->Close().ok());
  const PublisherStats stats = (*publisher)->stats();
  EXPECT_EQ(stats.segments + stats.dropped_segments, kWritten);
  EXPECT_EQ(channel.segments().size(), stats.segments);
  for (const auto& [seq, text] : channel.segments()) EXPECT_EQ(text.size(), segment.size()) << seq;
}

TEST(Publisher, ReusesConnections) {
  ScriptedServer server;
  Channel channel(server);
  auto publisher = Publisher::Open(FastOptions(server));
  constexpr std::uint64_t kSegments = 200;
  for (std::uint64_t seq = 0; seq < kSegments; ++seq) {
    ASSERT_TRUE((*publisher)->BeginSegment().ok());
    ASSERT_TRUE((*publisher)->Write(Bytes(std::to_string(seq))).ok());
    ASSERT_TRUE(channel.WaitFor(seq, std::to_string(seq)));
  }
  EXPECT_TRUE((*publisher)->Close().ok());
  EXPECT_EQ((*publisher)->stats().segments, kSegments);
  EXPECT_LE(server.connections(), 5u);  // four POSTs at most; the idle one is cut at the end
  EXPECT_EQ((*publisher)->stats().connections, server.connections());
}

TEST(Publisher, ClosesInTimeWhenTheServerHangs) {
  ScriptedServer server;
  server.On("POST *", [](Exchange& exchange, const Request&) { exchange.Hold(); });
  PublisherOptions options = FastOptions(server);
  options.close_timeout = milliseconds(200);
  auto publisher = Publisher::Open(options);
  ASSERT_TRUE((*publisher)->Write(Bytes("lost")).ok());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ((*publisher)->Close().error().code, ErrorCode::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(400));
  EXPECT_EQ((*publisher)->stats().dropped_segments, 1u);
}

TEST(Publisher, EndsOnRefusals) {
  for (const unsigned status : {401u, 403u, 302u}) {
    ScriptedServer server;
    server.On("POST *", [&](Exchange& exchange, const Request&) { exchange.Answer(status); });
    auto publisher = Publisher::Open(FastOptions(server));
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_EQ((*publisher)->Write(Bytes("x")).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Publisher, WaitsForAClosedPortToOpen) {
  std::uint16_t port = 0;
  {
    const ScriptedServer gone;
    port = gone.port();
  }
  PublisherOptions options;
  options.url = "http://127.0.0.1:" + std::to_string(port) + "/base/ch";
  options.retry_initial = milliseconds(20);
  options.retry_max = milliseconds(50);
  auto publisher = Publisher::Open(options);
  ASSERT_TRUE((*publisher)->Write(Bytes("kept")).ok());
  std::this_thread::sleep_for(milliseconds(150));
  ScriptedServer server(port);
  Channel channel(server);
  EXPECT_TRUE(channel.WaitFor(0, "kept"));
  EXPECT_TRUE((*publisher)->Close().ok());
}

double ProcessCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

TEST(Publisher, SleepsWhileNothingHappens) {
  ScriptedServer server;
  Channel channel(server);
  auto publisher = Publisher::Open(FastOptions(server));
  ASSERT_TRUE((*publisher)->Write(Bytes("a")).ok());
  ASSERT_TRUE(channel.WaitFor(0, "a"));
  const double before = ProcessCpuSeconds();
  std::this_thread::sleep_for(seconds(1));
  EXPECT_LT(ProcessCpuSeconds() - before, 0.1);
}

}  // namespace
}  // namespace framelock::trickle
