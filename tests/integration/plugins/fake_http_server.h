// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/integration/plugins/fake_listener.h"

namespace framelock::testing {

/// One request on a raw connection; the test writes the answer byte by byte. Used by its handler
/// only.
class FakeHttpExchange {
 public:
  FakeHttpExchange(int fd, std::string head) : fd_(fd), head_(std::move(head)) {}

  /// "GET /channel/0"
  [[nodiscard]] std::string request() const { return head_.substr(0, head_.find(" HTTP/1.1")); }
  [[nodiscard]] std::string Header(std::string_view name) const { return HeaderValue(head_, name); }
  /// The body (chunked or with a length) as it arrives; nullopt at its end or the connection's.
  std::optional<std::string> ReadBody();
  /// False when the connection broke before the body's end.
  [[nodiscard]] bool body_ended() const { return body_ended_; }
  bool Write(std::string_view bytes) { return WriteAll(fd_, bytes); }
  /// A whole answer; `headers` are whole lines.
  bool Respond(std::string_view status, std::string_view headers = {}, std::string_view body = {});

 private:
  int fd_;
  std::string head_;
  bool body_ended_ = false;
};

/// HTTP/1.1 with keep-alive, a thread a connection. The handler reads the body it expects.
class FakeHttpServer {
 public:
  using Handler = std::function<void(FakeHttpExchange&)>;

  explicit FakeHttpServer(Handler handler)
      : handler_(std::move(handler)), listener_([this](int fd) { Serve(fd); }) {}

  [[nodiscard]] std::string url() const { return "http://" + listener_.authority(); }
  [[nodiscard]] int connections() const { return listener_.connections(); }

 private:
  void Serve(int fd);

  const Handler handler_;
  FakeListener listener_;  // last: its threads use the rest
};

}  // namespace framelock::testing
