// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include "pipeline/core/clock.h"
#include "pipeline/core/latency_window.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"
#include "trickle/publisher.h"
#include "trickle/relay/relay.h"
#include "trickle/subscriber.h"

namespace framelock::trickle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A relay with a loop thread of its own.
class RelayServer {
 public:
  explicit RelayServer(std::uint16_t port = 0) {
    relay_ = std::move(relay::Relay::Create(loop_, {}).value());
    server_ =
        std::move(net::HttpServer::Listen(loop_, {.listen = "127.0.0.1:" + std::to_string(port)},
                                          [this](net::HttpExchange& exchange) -> net::Task<> {
                                            return relay_->Handle(exchange);
                                          })
                      .value());
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~RelayServer() {
    loop_.Stop();
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string Url(const std::string& channel) const {
    return "http://127.0.0.1:" + std::to_string(port()) + "/" + channel;
  }

 private:
  net::Loop loop_;
  std::unique_ptr<relay::Relay> relay_;
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::unique_ptr<Publisher> Publish(const std::string& url) {
  PublisherOptions options;
  options.url = url;
  options.retry_initial = milliseconds(20);
  return std::move(Publisher::Open(options).value());
}

std::unique_ptr<Subscriber> Subscribe(const std::string& url, StartAt start = StartAt::kCurrent) {
  SubscriberOptions options;
  options.url = url;
  options.start = start;
  options.retry_initial = milliseconds(20);
  return std::move(Subscriber::Open(options).value());
}

std::string Text(const Piece& piece) {
  return {reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size()};
}

// Reads until `text` has been received, or nothing comes any more.
void ReadUntil(Subscriber& subscriber, std::string& received, const std::string& text) {
  while (received.size() < text.size()) {
    const Result<Piece> piece = subscriber.Read(seconds(10));
    ASSERT_TRUE(piece.ok()) << piece.error().message;
    const SubscriberStats stats = subscriber.stats();
    ASSERT_FALSE(piece->discontinuity)
        << "segment " << stats.segment_seq << " behind " << stats.segments << " ended ones, "
        << stats.missed_segments << " missed, " << stats.empty_segments << " empty, "
        << stats.resets << " resets, " << stats.reconnects << " reconnects: " << stats.last_error;
    received += Text(*piece);
  }
  ASSERT_EQ(received, text);
}

TEST(EndToEnd, TwoThousandSegmentsArriveByteForByte) {
  const RelayServer relay;
  auto publisher = Publish(relay.Url("many"));
  auto subscriber = Subscribe(relay.Url("many"));
  constexpr std::uint64_t kSegments = 2000;
  std::minstd_rand random(1);
  std::string sent;
  std::string received;
  for (std::uint64_t segment = 0; segment < kSegments; ++segment) {
    ASSERT_TRUE(publisher->BeginSegment().ok());
    for (int write = 0; write < 3; ++write) {
      std::string text(1 + random() % 2000, ' ');
      for (char& c : text) c = static_cast<char>(random());
      sent += text;
      ASSERT_TRUE(publisher->Write(Bytes(text)).ok());
    }
    // Two behind at most: a server keeps five. The first one tells that the subscriber is there.
    if (segment == 0 || segment % 2 == 1) ReadUntil(*subscriber, received, sent);
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(publisher->Close().ok());
  EXPECT_EQ(subscriber->Read(seconds(5)).error().code, ErrorCode::kClosed);
  const SubscriberStats read = subscriber->stats();
  EXPECT_EQ(read.segments, kSegments);
  EXPECT_EQ(read.bytes, sent.size());
  EXPECT_EQ(read.missed_segments, 0u);
  EXPECT_EQ(read.reconnects, 0u);
  EXPECT_LE(read.connections, 3u);
  const PublisherStats written = publisher->stats();
  EXPECT_EQ(written.segments, kSegments);
  EXPECT_EQ(written.dropped_segments, 0u);
  EXPECT_LE(written.connections, 5u);
}

TEST(EndToEnd, BytesPassWithoutDelay) {
  const RelayServer relay;
  auto publisher = Publish(relay.Url("quick"));
  auto subscriber = Subscribe(relay.Url("quick"));
  constexpr int kWrites = 1000;
  LatencyWindow latency(kWrites);
  for (int i = 0; i < kWrites; ++i) {
    if (i % 60 == 0) {
      ASSERT_TRUE(publisher->BeginSegment().ok());
    }
    const std::string frame(12'500, 'f');  // 3 Mbit/s at 30 fps
    const SteadyTime begin = Clock::System().Now();
    ASSERT_TRUE(publisher->Write(Bytes(frame)).ok());
    for (std::size_t got = 0; got < frame.size();) {
      const Result<Piece> piece = subscriber->Read(seconds(10));
      ASSERT_TRUE(piece.ok()) << piece.error().message;
      got += piece->bytes.size();
    }
    latency.Add(Clock::System().Now() - begin);
    std::this_thread::sleep_for(milliseconds(2));
  }
  const auto micros = [&](int percent) {
    return std::chrono::duration_cast<std::chrono::microseconds>(latency.Percentile(percent))
        .count();
  };
  std::cout << "write to read: p50 " << micros(50) << " us, p99 " << micros(99) << " us\n";
  EXPECT_LT(micros(50), 20'000);  // generous: the machine may be busy
}

TEST(EndToEnd, ALateSubscriberGetsTheCurrentSegmentFromItsStart) {
  const RelayServer relay;
  auto publisher = Publish(relay.Url("late"));
  auto early = Subscribe(relay.Url("late"));
  std::string received;
  ASSERT_TRUE(publisher->Write(Bytes("zero")).ok());
  ReadUntil(*early, received, "zero");
  ASSERT_TRUE(publisher->BeginSegment().ok());
  ASSERT_TRUE(publisher->Write(Bytes("one")).ok());
  ReadUntil(*early, received, "zeroone");

  auto current = Subscribe(relay.Url("late"));
  const Result<Piece> first = current->Read(seconds(5));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Text(*first), "one");
  EXPECT_EQ(first->segment_seq, 1u);
  EXPECT_TRUE(first->segment_start);
}

TEST(EndToEnd, APublisherThatReturnsGoesOnWithTheNumbers) {
  const RelayServer relay;
  PublisherOptions options;
  options.url = relay.Url("again");
  options.delete_channel = false;
  auto first = std::move(Publisher::Open(options).value());
  auto subscriber = Subscribe(options.url);
  std::string received;
  ASSERT_TRUE(first->Write(Bytes("a")).ok());
  ReadUntil(*subscriber, received, "a");
  ASSERT_TRUE(first->BeginSegment().ok());
  ASSERT_TRUE(first->Write(Bytes("b")).ok());
  ReadUntil(*subscriber, received, "ab");
  first.reset();  // dies in the middle of segment 1

  auto second = std::move(Publisher::Open(options).value());
  ASSERT_TRUE(second->Write(Bytes("c")).ok());
  ReadUntil(*subscriber, received, "abc");
  EXPECT_EQ(subscriber->stats().segment_seq, 2u);
  EXPECT_EQ(subscriber->stats().missed_segments, 0u);
}

TEST(EndToEnd, BothSidesSurviveARestartOfTheServer) {
  auto relay = std::make_unique<RelayServer>();
  const std::uint16_t port = relay->port();
  auto publisher = Publish(relay->Url("survivor"));
  auto subscriber = Subscribe(relay->Url("survivor"));
  std::string received;
  std::string sent;
  for (int segment = 0; segment < 10; ++segment) {
    ASSERT_TRUE(publisher->BeginSegment().ok());
    ASSERT_TRUE(publisher->Write(Bytes("before")).ok());
    sent += "before";
    ReadUntil(*subscriber, received, sent);
  }
  relay.reset();
  std::this_thread::sleep_for(milliseconds(200));
  relay = std::make_unique<RelayServer>(port);

  std::string after;
  bool discontinuity = false;
  for (int segment = 0; segment < 200 && after.find("after") == std::string::npos; ++segment) {
    ASSERT_TRUE(publisher->BeginSegment().ok());
    ASSERT_TRUE(publisher->Write(Bytes("after")).ok());
    while (const Result<Piece> piece = subscriber->Read(milliseconds(100))) {
      discontinuity |= piece->discontinuity;
      after += Text(*piece);
    }
  }
  EXPECT_NE(after.find("after"), std::string::npos) << subscriber->stats().last_error;
  EXPECT_TRUE(discontinuity);
  EXPECT_EQ(subscriber->stats().resets, 1u);
  EXPECT_TRUE(publisher->Close().ok());
}

TEST(EndToEnd, ManySubscribersSeeTheSame) {
  const RelayServer relay;
  auto publisher = Publish(relay.Url("fan"));
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < 10; ++i) subscribers.push_back(Subscribe(relay.Url("fan")));
  std::vector<std::string> received(subscribers.size());
  std::string sent;
  for (int segment = 0; segment < 50; ++segment) {
    const std::string text = "segment " + std::to_string(segment) + std::string(5000, '.');
    ASSERT_TRUE(publisher->BeginSegment().ok());
    ASSERT_TRUE(publisher->Write(Bytes(text)).ok());
    sent += text;
    for (std::size_t i = 0; i < subscribers.size(); ++i) {
      ReadUntil(*subscribers[i], received[i], sent);
    }
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace framelock::trickle
