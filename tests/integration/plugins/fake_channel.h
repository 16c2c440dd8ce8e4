// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/plugins/fake_http_server.h"

namespace framelock::testing {

/// A trickle channel that keeps every segment: it takes what a publisher POSTs and hands it out by
/// number, whole. Numbers may be left out, which readers see as status 470.
class FakeChannel {
 public:
  FakeChannel() : server_([this](FakeHttpExchange& exchange) { Handle(exchange); }) {}
  ~FakeChannel() { Close(); }

  [[nodiscard]] std::string url() const { return server_.url() + "/channel"; }
  void Put(int seq, std::string bytes);
  /// The channel ends behind its last segment.
  void Close();
  /// Segments in order, once the channel was closed or `timeout` has passed.
  std::vector<std::string> WaitForAll(std::chrono::milliseconds timeout);
  [[nodiscard]] bool deleted() const;

 private:
  void Handle(FakeHttpExchange& exchange);
  void HandleGet(FakeHttpExchange& exchange, int seq);
  void HandlePost(FakeHttpExchange& exchange, int seq);
  [[nodiscard]] int Next() const { return segments_.empty() ? 0 : segments_.rbegin()->first + 1; }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, std::string> segments_;
  bool closed_ = false;
  bool deleted_ = false;
  FakeHttpServer server_;  // last: its threads use the rest
};

}  // namespace framelock::testing
