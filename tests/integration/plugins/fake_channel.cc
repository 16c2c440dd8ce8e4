// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/fake_channel.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace framelock::testing {

void FakeChannel::Put(int seq, std::string bytes) {
  const std::lock_guard lock(mutex_);
  segments_[seq] = std::move(bytes);
  changed_.notify_all();
}

void FakeChannel::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::vector<std::string> FakeChannel::WaitForAll(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return closed_; });
  std::vector<std::string> all;
  for (const auto& [seq, bytes] : segments_) all.push_back(bytes);
  return all;
}

bool FakeChannel::deleted() const {
  const std::lock_guard lock(mutex_);
  return deleted_;
}

void FakeChannel::Handle(FakeHttpExchange& exchange) {
  const std::string request = exchange.request();
  const std::string last = request.substr(request.rfind('/') + 1);
  if (request == "POST /channel") {
    exchange.Respond("200 OK");
  } else if (request == "GET /channel/next") {
    const std::lock_guard lock(mutex_);
    exchange.Respond("200 OK", "Content-Type: text/plain\r\n", std::to_string(Next()));
  } else if (request == "DELETE /channel") {
    {
      const std::lock_guard lock(mutex_);
      closed_ = deleted_ = true;
      changed_.notify_all();
    }
    exchange.Respond("200 OK");
  } else if (request.starts_with("GET /channel/")) {
    HandleGet(exchange, std::atoi(last.c_str()));
  } else if (request.starts_with("POST /channel/")) {
    HandlePost(exchange, std::atoi(last.c_str()));
  } else {
    exchange.Respond("404 Not Found");
  }
}

void FakeChannel::HandleGet(FakeHttpExchange& exchange, int seq) {
  std::unique_lock lock(mutex_);
  const auto wanted = [&] {
    return seq == -2 ? std::max(Next() - 1, 0) : seq == -1 ? Next() : seq;
  };
  seq = wanted();
  changed_.wait(lock, [&] { return closed_ || Next() > seq; });
  const auto segment = segments_.find(seq);
  const std::string numbers = "Lp-Trickle-Seq: " + std::to_string(seq) +
                              "\r\nLp-Trickle-Latest: " + std::to_string(Next()) + "\r\n";
  if (segment != segments_.end()) {
    const std::string bytes = segment->second;
    lock.unlock();
    exchange.Respond("200 OK", "Content-Type: video/mp2t\r\n" + numbers, bytes);
  } else if (seq >= Next()) {
    exchange.Respond("200 OK", numbers + "Lp-Trickle-Closed: terminated\r\n");
  } else {
    // The first one there is behind the hole.
    const int latest = segments_.upper_bound(seq)->first;
    exchange.Respond("470 Gone",
                     "Lp-Trickle-Seq: " + std::to_string(seq) +
                         "\r\nLp-Trickle-Latest: " + std::to_string(latest) + "\r\n",
                     "Entry not found");
  }
}

void FakeChannel::HandlePost(FakeHttpExchange& exchange, int seq) {
  std::string bytes;
  while (const auto piece = exchange.ReadBody()) bytes += *piece;
  if (!exchange.body_ended()) return;
  if (!bytes.empty()) Put(seq, bytes);
  exchange.Respond("200 OK", "Lp-Trickle-Seq: " + std::to_string(seq) + "\r\n");
}

}  // namespace framelock::testing
