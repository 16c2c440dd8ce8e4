// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/http_head.h"
#include "pipeline/net/url.h"

namespace framelock::net {

/// Every limit of the client, with its default.
struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{10000};  // name, TCP and TLS together
  std::chrono::milliseconds peer_timeout{20000};  // a peer whose kernel is silent so long is dead
  bool verify_tls = true;
  std::size_t max_connections = 8;  // kept for reuse; more are opened when needed, then closed
  // The body of an answer other than 2xx is thrown away; it may hold the connection up so long.
  std::size_t max_discarded_bytes = 64 * 1024;
  std::chrono::milliseconds discard_timeout{2000};
  std::string user_agent = "framelock";
};

/// Names one request of one client; never used twice.
using TransferId = std::uint64_t;

enum class RequestBody : std::uint8_t {
  kNone,      // a POST is sent with Content-Length: 0
  kStreamed,  // chunked; the head leaves at once, the pieces as OnUpload gives them
};

struct HttpClientRequest {
  std::string method = "GET";
  Url url;
  std::vector<HttpHeader> headers = {};
  RequestBody body = RequestBody::kNone;
};

enum class BodyAction : std::uint8_t {
  kTaken,
  kPause,  // not taken; the connection stops reading, the same bytes come again after ResumeBody
};

/// What happens to requests. All calls come on the client's own thread, never two at once, and must
/// not block. Calls for a request that was cancelled a moment ago are possible: ignore them.
class HttpClientEvents {
 public:
  virtual ~HttpClientEvents() = default;
  /// The final answer's head, also while the request's body is still open.
  virtual void OnHead(TransferId id, const HttpResponseHead& head) = 0;
  /// A piece of a 2xx answer's body (at most 16 KiB), framing removed.
  virtual BodyAction OnBody(TransferId id, std::span<const std::byte> piece) = 0;
  /// Wants body bytes: how many were put into `room`; 0 = the body ends here; nullopt = none now,
  /// call ResumeUpload when there are.
  virtual std::optional<std::size_t> OnUpload(TransferId id, std::span<std::byte> room) = 0;
  /// The answer is complete, or: kUnavailable: no connection could be made; kClosed: the connection
  /// ended before the answer did; kInvalidArgument: the peer's certificate; kProtocol: not HTTP.
  virtual void OnEnd(TransferId id, const Status& status) = 0;
  /// Called after every batch of events, after Wake(), and when the time it returned has come.
  virtual std::optional<SteadyTime> OnWake() = 0;
};

/// HTTP/1.1 client: one network thread, any number of requests at once, connections reused. Speaks
/// http and https only, follows no redirect, uses no proxy, swallows interim answers, passes every
/// final status through. Owned by whoever implements the events. All methods: any thread, they
/// take effect on the network thread and never block. Never spins: sleeps until a socket, a wake-up
/// or a deadline. The destructor aborts every request and joins.
class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Create(HttpClientOptions options,
                                                    HttpClientEvents& events);
  ~HttpClient();

  TransferId Start(HttpClientRequest request);
  /// Ends a request without OnEnd. Its connection is closed if the exchange was not complete.
  void Cancel(TransferId id);
  void ResumeBody(TransferId id);
  void ResumeUpload(TransferId id);
  void Wake();

  /// TCP connections that carried a request so far.
  [[nodiscard]] std::uint64_t connections() const;

 private:
  class Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::net
