// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/net/http_request.h"
#include "pipeline/net/loop.h"

namespace framelock::net {

/// Every limit of the server, with its default.
struct HttpServerOptions {
  std::string listen = "127.0.0.1:8000";  // HOST:PORT; port 0 picks one; [::1]:8000 for IPv6
  std::size_t max_header_bytes = 32 * 1024;
  std::size_t max_connections = 4096;  // further ones get 503 and are closed
  std::chrono::milliseconds header_timeout{
      30'000};  // from the first byte of a request to its head's end
  std::chrono::milliseconds body_timeout{30'000};   // for ReadWholeBody, from the head on
  std::chrono::milliseconds idle_timeout{600'000};  // between requests
  std::chrono::milliseconds write_timeout{
      30'000};  // a peer that takes nothing for so long is dropped
};

struct HttpResponse {
  // Not an aggregate on purpose: GCC 12 destroys a braced temporary inside a co_await expression
  // twice. Name the response, set its members, then co_await Respond(std::move(response)).
  HttpResponse() = default;

  unsigned status = 200;
  std::string reason;  // empty: the standard phrase
  std::vector<HttpHeader> headers;
  std::string body;    // sent with Content-Length
  bool close = false;  // "Connection: close", and close after it
};

/// What follows a piece of a body.
enum class Then : std::uint8_t { kMore, kEnd };

class WebSocket;

/// One request being answered. Lives on the loop thread, as long as the handler's coroutine.
/// Rules: answer exactly once (Respond, or Begin/Write/End, or Upgrade). Answering before the body
/// has been read is allowed; the rest is drained (bounded) or, with close, dropped.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  [[nodiscard]] virtual const HttpRequest& request() const = 0;

  /// Next bytes of the body as they arrive (chunk framing removed); 0 = the body has ended.
  /// kClosed: the peer went away; kProtocol: broken framing; kCancelled: Interrupt() was called and
  /// nothing was lost; kTimeout: nothing came within `timeout`, nothing was lost.
  virtual Task<Result<std::size_t>> ReadBody(
      std::span<std::byte> buffer,
      std::chrono::nanoseconds timeout = std::chrono::hours(24 * 365)) = 0;
  /// The whole body; kResourceLimit when it is longer than `max_bytes`.
  virtual Task<Result<std::string>> ReadWholeBody(std::size_t max_bytes) = 0;

  /// Waits until the peer is gone or Interrupt() is called: for requests that wait for an event.
  /// kClosed or kCancelled. Bytes that come meanwhile are kept for later; a peer that sends more
  /// than 64 KiB behind its waiting request counts as gone.
  virtual Task<Status> WaitForPeerClose() = 0;
  /// Ends a waiting ReadBody or WaitForPeerClose with kCancelled; remembered once if none waits.
  virtual void Interrupt() = 0;
  /// Drops the connection: whatever waits on it ends with kClosed.
  virtual void Abort() = 0;
  /// True once the peer's going away has been noticed.
  [[nodiscard]] virtual bool peer_closed() const = 0;

  /// "HTTP/1.1 100 Continue", any number of times before the answer.
  virtual Task<Status> SendContinue() = 0;

  virtual Task<Status> Respond(HttpResponse response) = 0;
  /// A chunked answer (close-delimited for HTTP/1.0): head, pieces as they come, end. Each piece is
  /// sent at once, the first together with the head. The response's body is ignored.
  virtual Task<Status> BeginResponse(HttpResponse head,
                                     std::span<const std::byte> first_piece = {}) = 0;
  virtual Task<Status> WriteBody(std::span<const std::byte> piece) = 0;
  /// BeginResponse and WriteBody without a coroutine, the end with the last piece: for whoever has
  /// a piece while the handler waits for it in WaitForPeerClose. False: the socket did not take
  /// all. Then the rest, which must stay where it is, is the handler's: Interrupt() it, and it has
  /// to co_await FlushBody() before anything else.
  virtual bool TryBeginResponse(const HttpResponse& head, std::span<const std::byte> first_piece,
                                Then then) = 0;
  virtual bool TryWriteBody(std::span<const std::byte> piece, Then then) = 0;
  virtual Task<Status> FlushBody() = 0;
  virtual Task<Status> EndResponse() = 0;

  /// True if the request asks for a WebSocket upgrade.
  [[nodiscard]] virtual bool wants_websocket() const = 0;
  virtual Task<Result<std::unique_ptr<WebSocket>>> Upgrade(std::size_t max_message_bytes) = 0;
};

/// The server's end of an upgraded connection. Loop thread only; one coroutine may receive while
/// another sends. Idle peers are pinged, silent ones dropped, but only while a Receive waits.
class WebSocket {
 public:
  struct Piece {
    bool binary = false;
    std::size_t size = 0;  // 0 of an empty message
  };
  virtual ~WebSocket() = default;
  /// The next bytes of a message as they arrive, so that nothing is kept of an unfinished one.
  /// kClosed at the peer's orderly or other end; kProtocol; kResourceLimit for a long message.
  virtual Task<Result<Piece>> Receive(std::span<std::byte> buffer) = 0;
  /// True once the peer's close frame has come: it meant to end.
  [[nodiscard]] virtual bool closed_in_order() const = 0;
  virtual Task<Status> SendBinary(std::span<const std::byte> payload) = 0;
  virtual Task<Status> SendText(std::string_view payload) = 0;
  /// Sends a close frame (code 1000 and so on) and waits shortly for the peer's.
  virtual Task<> Close(std::uint16_t code, std::string_view reason) = 0;
};

/// HTTP/1.1 and 1.0 with keep-alive, pipelining and chunked bodies both ways, on one Loop. An
/// exception that leaves a handler answers 500 where nothing was sent. Bounded by its options.
class HttpServer {
 public:
  using Handler = std::function<Task<>(HttpExchange&)>;

  /// Binds and listens at once; accepts while the loop runs.
  static Result<std::unique_ptr<HttpServer>> Listen(Loop& loop, HttpServerOptions options,
                                                    Handler handler);
  virtual ~HttpServer() = default;  // closes everything

  /// The bound port (useful with port 0).
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual std::size_t connections() const = 0;
  /// Stops accepting and closes idle connections; open requests may finish.
  virtual void StopAccepting() = 0;
};

}  // namespace framelock::net
