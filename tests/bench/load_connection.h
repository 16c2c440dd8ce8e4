// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "tests/bench/answer_parser.h"

namespace framelock::bench {

/// Where a server under load listens.
struct ServerAddress {
  std::string host;  // an IPv4 address or "localhost"
  std::uint16_t port = 80;
  std::string base;  // path in front of the channels, without a slash at its end

  /// kInvalidArgument unless it is http://HOST[:PORT][/PATH].
  static Result<ServerAddress> Parse(std::string_view url);
};

class LoadConnection;

/// One epoll set and everything that runs on it. One thread.
class LoadLoop {
 public:
  static Result<std::unique_ptr<LoadLoop>> Create();

  /// Serves what is ready, at most until `deadline`.
  void RunOnce(SteadyTime deadline);
  [[nodiscard]] std::uint64_t connects() const { return connects_; }

 private:
  friend class LoadConnection;
  explicit LoadLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  UniqueFd epoll_;
  std::uint64_t connects_ = 0;
};

/// A client's connection, non-blocking. Kept for the next request after an answer; connects (again)
/// when it has something to send. From its own events it may be sent on or closed, but neither
/// destroyed nor closed and sent on.
class LoadConnection {
 public:
  LoadConnection(LoadLoop& loop, const ServerAddress& server, AnswerParser::Events events);
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  /// Sends the beginning of a request; its answer is due from now on.
  void Request(std::string_view bytes);
  /// More of it. What the socket does not take at once waits for it.
  void Send(std::string_view bytes);
  /// The next Send connects anew.
  void Close();
  /// Of the last answer's head.
  [[nodiscard]] unsigned status() const { return parser_.status(); }
  /// Between an answer's end and the next request.
  [[nodiscard]] bool idle() const { return !answer_due_; }
  /// The connection ended, or could not be made, before its answer was whole.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  friend class LoadLoop;
  bool Connect();
  void Flush();
  void Receive();
  void OnReady(std::uint32_t events);
  void Watch(std::uint32_t events, int operation);

  LoadLoop& loop_;
  const ServerAddress& server_;
  const AnswerParser::Events events_;
  AnswerParser parser_;
  UniqueFd socket_;
  std::string unsent_;
  bool waits_to_write_ = false;
  bool answer_due_ = false;
  bool failed_ = false;
};

}  // namespace framelock::bench
