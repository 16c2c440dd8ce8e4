// SPDX-License-Identifier: Apache-2.0
#include "trickle/publisher.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

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

  void Take(Exchange& exchange, const Request& request) {
    const auto seq = std::stoull(request.target.substr(request.target.rfind('/') + 1));
    {
      const std::lock_guard lock(mutex_);
      if (request.headers.contains("lp-trickle-reset")) resets_.push_back(seq);
    }
    while (const auto chunk = exchange.ReadChunk()) {
      if (chunk->empty()) {
        exchange.Answer(200, "Lp-Trickle-Seq: " + std::to_string(seq) + "\r\n");
        return;
      }
      const std::lock_guard lock(mutex_);
      segments_[seq] += *chunk;
      next_ = seq + 1;
      changed_.notify_all();
    }
    exchange.Close();
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

}  // namespace
}  // namespace framelock::trickle
