// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/integration/plugins/fake_listener.h"

namespace framelock::testing {

/// The server's end of one connection, under the test's full control. Used by its session only.
class FakeWebSocketPeer {
 public:
  enum Opcode : std::uint8_t {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kClose = 8,
    kPing = 9,
    kPong = 10
  };
  struct Frame {
    std::uint8_t opcode = 0;
    std::string payload;
  };

  FakeWebSocketPeer(int fd, std::string target) : fd_(fd), target_(std::move(target)) {}

  [[nodiscard]] const std::string& target() const { return target_; }
  bool Send(std::string_view payload, Opcode opcode = kBinary) {
    return SendFrame(payload, opcode, 0x80);
  }
  bool SendFragment(std::string_view payload, Opcode opcode) {
    return SendFrame(payload, opcode, 0);
  }
  /// A close frame, then waits for the peer's.
  void Close(std::uint16_t code);
  /// Ends the connection as a crash would.
  void Abort();
  /// Next frame but pings, which are answered; nullopt at the connection's end.
  std::optional<Frame> Receive();
  /// Next frame, without an answer to anything.
  std::optional<Frame> ReceiveSilently();

 private:
  bool SendFrame(std::string_view payload, Opcode opcode, std::uint8_t fin);
  int fd_;
  std::string target_;
};

/// Runs `session` for each connection that has been upgraded, on a thread of its own.
class FakeWebSocketServer {
 public:
  using Session = std::function<void(FakeWebSocketPeer&)>;
  struct Options {
    std::string refuse_with;  // a status line instead of the upgrade, "404 Not Found"
  };

  explicit FakeWebSocketServer(Session session)
      : FakeWebSocketServer(std::move(session), Options{}) {}
  FakeWebSocketServer(Session session, Options options)
      : session_(std::move(session)),
        options_(std::move(options)),
        listener_([this](int fd) { Serve(fd); }) {}

  [[nodiscard]] std::string url() const { return "ws://" + listener_.authority(); }
  [[nodiscard]] int connections() const { return listener_.connections(); }

 private:
  void Serve(int fd);

  const Session session_;
  const Options options_;
  FakeListener listener_;  // last: its threads use the rest
};

}  // namespace framelock::testing
