// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "pipeline/net/http_server.h"
#include "tests/support/http_probe.h"
#include "tests/support/loop_thread.h"
#include "trickle/relay/relay.h"

namespace framelock::test {

/// A relay inside the test's process, on a thread and a port of its own.
class RelayFixture : public ::testing::Test {
 protected:
  void Start(relay::RelayOptions options = {}, net::HttpServerOptions server_options = {}) {
    server_options.listen = "127.0.0.1:0";
    thread_.Call([&] {
      auto relay = relay::Relay::Create(thread_.loop(), std::move(options));
      EXPECT_TRUE(relay.ok()) << relay.error().message;
      relay_ = std::move(relay).value();
      auto server = net::HttpServer::Listen(
          thread_.loop(), server_options,
          [this](net::HttpExchange& exchange) { return relay_->Handle(exchange); });
      EXPECT_TRUE(server.ok()) << server.error().message;
      server_ = std::move(server).value();
      thread_.loop().Spawn(relay_->SweepForever());
    });
    port_ = server_->port();
  }
  void TearDown() override {
    thread_.Stop();
    server_.reset();
    relay_.reset();
  }

  /// Creates a channel over HTTP; its path.
  std::string Channel(const std::string& mime = "text/plain") {
    const std::string path = "/c" + std::to_string(++channels_);
    EXPECT_EQ(Ask(port_, "POST", path, {{"Expect-Content", mime}}, "").status, 200);
    return path;
  }
  /// Publishes a whole segment.
  HttpAnswer Put(const std::string& channel, const std::string& seq, std::string_view body,
                 HttpProbe::Headers headers = {}) {
    headers.emplace_back("Content-Type", "text/plain");
    auto answer = Ask(port_, "POST", channel + "/" + seq, headers, body);
    EXPECT_EQ(answer.status, 200) << channel << "/" << seq;
    return answer;
  }
  HttpAnswer Put(const std::string& channel, int seq, std::string_view body) {
    return Put(channel, std::to_string(seq), body);
  }
  HttpAnswer Get(const std::string& channel, int seq) {
    return Ask(port_, "GET", channel + "/" + std::to_string(seq));
  }
  /// A chunked publisher that has sent its head only.
  HttpProbe Preconnect(const std::string& channel, int seq) {
    HttpProbe probe(port_);
    probe.RequestChunked("POST", channel + "/" + std::to_string(seq));
    return probe;
  }
  HttpProbe Reader(const std::string& channel, int seq) {
    HttpProbe probe(port_);
    probe.Request("GET", channel + "/" + std::to_string(seq));
    return probe;
  }
  /// Long enough to call silence silence.
  static constexpr std::chrono::milliseconds kQuiet{120};
  static bool Waits(HttpProbe& probe) { return !probe.ReadHead(kQuiet); }
  /// A header of an answer; "(none)" without it.
  static std::string Value(const HttpAnswer& answer, const std::string& name) {
    const auto found = answer.headers.find(name);
    return found == answer.headers.end() ? "(none)" : found->second;
  }
  std::string Next(const std::string& channel) {
    const auto answer = Ask(port_, "GET", channel + "/next");
    EXPECT_EQ(answer.headers.at("lp-trickle-latest"), answer.body);
    return answer.body;
  }
  /// Waits until the relay's channel says so.
  template <typename Condition>
  bool Eventually(Condition condition,
                  std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (std::chrono::steady_clock::now() < deadline) {
      if (thread_.Call([&] { return condition(); })) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  /// The relay's own view of a channel; loop thread (inside Eventually or Call).
  relay::Channel& Inside(const std::string& path) {
    return *relay_->channels().Find(std::string_view(path).substr(1));
  }

  LoopThread thread_;
  std::unique_ptr<relay::Relay> relay_;
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_ = 0;

 private:
  int channels_ = 0;
};

}  // namespace framelock::test
