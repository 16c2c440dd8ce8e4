// SPDX-License-Identifier: Apache-2.0
#include "api/text_events.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace framelock::api {

namespace {

// A reader that has gone shows at the second one, and keeps its place until then.
constexpr std::chrono::seconds kHeartbeat{5};
constexpr const char* kComment = ":\n\n";

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

net::Task<> SendTextEvents(std::shared_ptr<Stream> stream, net::HttpExchange& exchange,
                           net::HttpResponse head) {
  const std::shared_ptr<const void> joined = stream->texts().Join();
  TextFeed::Position position = stream->texts().End();
  // At once, so that the client knows that it is heard.
  std::string piece = kComment;
  Status sent = co_await exchange.BeginResponse(std::move(head), Bytes(piece));
  auto silent_since = std::chrono::steady_clock::now();
  while (sent.ok() && !exchange.peer_closed()) {
    piece = stream->texts().Read(position);
    if (piece.empty()) {
      if (IsFinal(stream->state())) {
        static_cast<void>(co_await exchange.EndResponse());
        co_return;
      }
      const auto left = silent_since + kHeartbeat - std::chrono::steady_clock::now();
      if (left.count() > 0) {
        co_await stream->AwaitChange(left);
        continue;
      }
      piece = kComment;
    }
    sent = co_await exchange.WriteBody(Bytes(piece));
    silent_since = std::chrono::steady_clock::now();
  }
}

}  // namespace framelock::api
