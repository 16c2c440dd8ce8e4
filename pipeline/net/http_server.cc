// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_server.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "pipeline/core/log.h"
#include "pipeline/net/http_connection.h"
#include "pipeline/net/response_head.h"

namespace framelock::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr auto kAcceptBackOff = std::chrono::milliseconds(100);

struct HostPort {
  std::string host;
  std::string port;
};

Error BadListen(const std::string& listen, std::string_view why) {
  return {ErrorCode::kInvalidArgument, fmt::format("cannot listen on \"{}\": {}", listen, why)};
}

Result<HostPort> SplitHostPort(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return BadListen(listen, "expected HOST:PORT");
  HostPort parts{listen.substr(0, colon), listen.substr(colon + 1)};
  if (parts.host.size() >= 2 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string::npos) {
    return BadListen(listen, "an IPv6 address stands in brackets");
  }
  std::uint16_t port = 0;
  const char* end = parts.port.data() + parts.port.size();
  const auto parsed = std::from_chars(parts.port.data(), end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return BadListen(listen, "bad port");
  if (parts.host.empty()) parts.host = "127.0.0.1";  // wider only when it is said
  return parts;
}

class AsioHttpServer final : public HttpServer {
 public:
  AsioHttpServer(Loop& loop, HttpServerOptions options, Handler handler)
      : acceptor_(std::make_shared<tcp::acceptor>(loop.context())),
        state_(std::make_shared<HttpServerState>()) {
    state_->options = std::move(options);
    state_->handler = std::move(handler);
  }

  ~AsioHttpServer() override {
    CloseAcceptor();
    state_->registry->CloseAll();
  }

  Status Bind(Loop& loop) {
    const std::string& listen = state_->options.listen;
    const auto parts = SplitHostPort(listen);
    if (!parts.ok()) return parts.error();
    boost::system::error_code error;
    tcp::resolver resolver(loop.context());
    const auto found = resolver.resolve(parts->host, parts->port, tcp::resolver::passive, error);
    if (error || found.empty()) return BadListen(listen, error.message());
    const tcp::endpoint endpoint = *found.begin();
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) return Error{ErrorCode::kUnavailable, BadListen(listen, error.message()).message};
    port_ = acceptor_->local_endpoint(error).port();
    loop.Spawn(Accept(loop, acceptor_, state_));
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return state_->registry->size(); }
  void StopAccepting() override {
    CloseAcceptor();
    state_->registry->StopAccepting();
  }

 private:
  void CloseAcceptor() {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  }

  // One too many: told so as far as the socket takes it at once, and let go.
  static void TurnAway(tcp::socket socket) {
    const std::string body = "too many connections\n";
    const HttpHeader type{"Content-Type", "text/plain; charset=utf-8"};
    const ResponseFraming framing{.content_length = body.size(), .close = true};
    const auto head = FormatResponseHead(503, "", std::span(&type, 1), framing);
    if (!head.ok()) return;
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(*head + body), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  static Task<> Accept(Loop& loop, std::shared_ptr<tcp::acceptor> acceptor,
                       std::shared_ptr<HttpServerState> state) {
    while (acceptor->is_open()) {
      boost::system::error_code error;
      tcp::socket socket =
          co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) {
        if (!acceptor->is_open()) break;
        spdlog::warn("accepting a connection failed, trying on: {}", error.message());
        co_await SleepFor(kAcceptBackOff);
      } else if (state->registry->size() >= state->options.max_connections) {
        TurnAway(std::move(socket));
      } else {
        const auto connection = std::make_shared<HttpConnection>(state, std::move(socket));
        connection->Register();
        loop.Spawn(HttpConnection::Serve(connection));
      }
    }
  }

  std::shared_ptr<tcp::acceptor> acceptor_;
  std::shared_ptr<HttpServerState> state_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(Loop& loop, HttpServerOptions options,
                                                       Handler handler) {
  auto server = std::make_unique<AsioHttpServer>(loop, std::move(options), std::move(handler));
  const Status bound = server->Bind(loop);
  if (!bound.ok()) return bound.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace framelock::net
