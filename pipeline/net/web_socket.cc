// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/web_socket.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>

namespace framelock::net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
namespace {

constexpr auto kHandshakeTimeout = std::chrono::seconds(5);  // also for the closing one
constexpr auto kIdleTimeout = std::chrono::seconds(60);      // a ping goes out at half of it
constexpr std::size_t kMaxCloseReason = 123;                 // what fits a control frame

Error ErrorOf(const beast::error_code& error) {
  if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
    return {ErrorCode::kResourceLimit, "the message is longer than allowed"};
  }
  if (error.category() == beast::error_code(websocket::error::bad_opcode).category() &&
      error != websocket::error::closed) {
    return {ErrorCode::kProtocol, "WebSocket protocol: " + error.message()};
  }
  return {ErrorCode::kClosed, "the peer closed the WebSocket"};
}

// The stream and its guard against a peer that takes nothing. Shared: the guard's timer and Beast's
// own operations may end a turn of the loop after the owner.
struct Connection {
  Connection(tcp::socket socket, WebSocketLimits given, ConnectionRegistry::Ticket place)
      : stream(std::move(socket)),
        guard(stream.get_executor()),
        limits(given),
        ticket(std::move(place)) {}

  void Drop() {
    beast::error_code ignored;
    stream.next_layer().close(ignored);
  }

  websocket::stream<tcp::socket> stream;
  asio::steady_timer guard;
  WebSocketLimits limits;
  ConnectionRegistry::Ticket ticket;
};

class BeastWebSocket final : public WebSocket {
 public:
  explicit BeastWebSocket(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~BeastWebSocket() override { connection_->Drop(); }

  Task<Result<Piece>> Receive(std::span<std::byte> buffer) override {
    const auto connection = connection_;
    beast::error_code error;
    const std::size_t size = co_await connection->stream.async_read_some(
        asio::buffer(buffer.data(), buffer.size()),
        asio::redirect_error(asio::use_awaitable, error));
    if (error == websocket::error::closed) closed_in_order_ = true;
    if (error) co_return ErrorOf(error);
    co_return Piece{.binary = connection->stream.got_binary(), .size = size};
  }

  bool closed_in_order() const override { return closed_in_order_; }

  Task<Status> SendBinary(std::span<const std::byte> payload) override {
    connection_->stream.binary(true);
    return Send(connection_, {payload.data(), payload.size()});
  }

  Task<Status> SendText(std::string_view payload) override {
    connection_->stream.text(true);
    return Send(connection_, {payload.data(), payload.size()});
  }

  Task<> Close(std::uint16_t code, std::string_view reason) override {
    const auto connection = connection_;
    websocket::close_reason why(static_cast<websocket::close_code>(code));
    const std::string_view text = reason.substr(0, kMaxCloseReason);
    why.reason.assign(text.data(), text.size());
    beast::error_code ignored;
    co_await connection->stream.async_close(why,
                                            asio::redirect_error(asio::use_awaitable, ignored));
    connection->Drop();
  }

 private:
  static Task<Status> Send(std::shared_ptr<Connection> connection, asio::const_buffer payload) {
    connection->guard.expires_after(connection->limits.write_timeout);
    connection->guard.async_wait(
        [weak = std::weak_ptr(connection)](const beast::error_code& error) {
          const auto alive = weak.lock();
          if (!error && alive) alive->Drop();
        });
    beast::error_code error;
    co_await connection->stream.async_write(payload,
                                            asio::redirect_error(asio::use_awaitable, error));
    connection->guard.cancel();
    if (error) co_return ErrorOf(error);
    co_return Status();
  }

  const std::shared_ptr<Connection> connection_;
  bool closed_in_order_ = false;
};

http::request<http::empty_body> ToBeast(const HttpRequest& request) {
  http::request<http::empty_body> beast_request(http::verb::get, request.target, request.version);
  for (const auto& [name, value] : request.headers) beast_request.insert(name, value);
  return beast_request;
}

}  // namespace

Task<Result<std::unique_ptr<WebSocket>>> AcceptWebSocket(tcp::socket socket,
                                                         const HttpRequest& request,
                                                         WebSocketLimits limits,
                                                         ConnectionRegistry::Ticket ticket) {
  const auto connection =
      std::make_shared<Connection>(std::move(socket), limits, std::move(ticket));
  const auto drop = [weak = std::weak_ptr(connection)] {
    if (const auto alive = weak.lock()) alive->Drop();
  };
  connection->ticket.Replace({.close = drop, .close_if_idle = [] {}});
  auto& stream = connection->stream;
  stream.set_option(websocket::stream_base::timeout{kHandshakeTimeout, kIdleTimeout, true});
  stream.read_message_max(limits.max_message_bytes);
  stream.auto_fragment(false);
  beast::error_code error;
  const auto beast_request = ToBeast(request);
  co_await stream.async_accept(beast_request, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_return Error{ErrorCode::kProtocol, "WebSocket handshake: " + error.message()};
  }
  co_return std::make_unique<BeastWebSocket>(connection);
}

}  // namespace framelock::net
