// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "pipeline/core/result.h"
#include "pipeline/net/http_request.h"

namespace framelock::net {

/// Why a request cannot be served: what to answer before closing.
struct RequestRejection {
  unsigned status = 400;
  std::string reason;
};

/// Turns bytes into one request: its head, then its body without the chunk framing. Neither socket
/// nor coroutine: the connection owns it, feeds it from its buffer and makes a new one for each
/// request. Refuses what two parsers could read differently (both Transfer-Encoding and
/// Content-Length, any coding but chunked, folded or repeated framing headers, no Host).
class RequestParser {
 public:
  explicit RequestParser(std::size_t max_header_bytes);
  ~RequestParser();

  /// What a feeding did: bytes taken from the input; bytes written to the output.
  struct Progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
  };

  /// Feeds bytes of the head; those of an unfinished line are left to be given again, with more.
  /// Ask head_done() and rejection() after it.
  Progress FeedHead(std::span<const std::byte> input);
  [[nodiscard]] bool head_done() const { return head_done_; }
  [[nodiscard]] const std::optional<RequestRejection>& rejection() const { return rejection_; }
  /// Gives the head away, once.
  [[nodiscard]] HttpRequest TakeRequest() { return std::move(request_); }

  /// Decodes body bytes into `output`. Progress of zero and zero means: more input is needed.
  /// kProtocol for broken framing.
  Result<Progress> FeedBody(std::span<const std::byte> input, std::span<std::byte> output);
  [[nodiscard]] bool body_done() const;
  /// Of a body with a Content-Length: how much is still to come.
  [[nodiscard]] std::optional<std::uint64_t> content_length_remaining() const;

  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }

 private:
  struct Beast;

  void Reject(unsigned status, std::string reason);
  void TakeHead();
  void CheckFraming();

  std::unique_ptr<Beast> beast_;
  HttpRequest request_;
  std::optional<RequestRejection> rejection_;
  bool head_done_ = false;
  bool expects_continue_ = false;
};

}  // namespace framelock::net
