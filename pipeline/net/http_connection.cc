// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_connection.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <exception>

#include "pipeline/core/log.h"
#include "pipeline/net/http_exchange.h"
#include "pipeline/net/response_head.h"

namespace framelock::net {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kReadAhead = 64 * 1024;
// After the last answer: time for the peer to read it and to stop sending. Closing at once would
// make the kernel answer its late bytes with a reset, which can destroy the answer on its way.
constexpr auto kLingerTime = std::chrono::seconds(2);

std::string AddressText(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return "unknown";
  const std::string host = peer.address().to_string(error);
  return fmt::format(fmt::runtime(peer.address().is_v6() ? "[{}]:{}" : "{}:{}"), host, peer.port());
}

Task<> RunHandler(const HttpServer::Handler& handler, StreamExchange& exchange) {
  std::string what;
  try {
    co_await handler(exchange);
    co_return;
  } catch (const std::exception& failure) {
    what = failure.what();
  } catch (...) {
    what = "unknown exception";
  }
  spdlog::error("a handler failed on {} {}: {}", exchange.request().method,
                exchange.request().target, what);
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<const HttpServerState> state,
                               asio::ip::tcp::socket socket)
    : state_(std::move(state)), remote_(AddressText(socket)) {
  stream_ = std::make_shared<TcpStream>(std::move(socket),
                                        std::max(kReadAhead, state_->options.max_header_bytes));
}

void HttpConnection::Register() {
  const auto weak = weak_from_this();
  const auto close = [weak] {
    if (const auto self = weak.lock()) self->stream_->Close();
  };
  const auto close_if_idle = [weak] {
    const auto self = weak.lock();
    if (self && self->idle_) self->stream_->Close();
  };
  ticket_ = state_->registry->Add({.close = close, .close_if_idle = close_if_idle});
}

Task<> HttpConnection::Serve(std::shared_ptr<HttpConnection> self) {
  SteadyTime deadline = std::chrono::steady_clock::now() + self->state_->options.header_timeout;
  while (co_await self->ServeOne(deadline)) {
    deadline = std::chrono::steady_clock::now() + self->state_->options.idle_timeout;
  }
}

Task<> HttpConnection::Linger() {
  if (stream_->peer_closed()) co_return;
  stream_->ShutdownSend();
  const SteadyTime deadline = std::chrono::steady_clock::now() + kLingerTime;
  for (;;) {
    stream_->Consume(stream_->buffered().size());
    const Status filled = co_await stream_->Fill(deadline);
    if (!filled.ok() && filled.error().code != ErrorCode::kCancelled) break;
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  stream_->Close();
}

Task<> HttpConnection::Reject(unsigned status, std::string reason) {
  reason += '\n';
  const HttpHeader type{"Content-Type", "text/plain; charset=utf-8"};
  const ResponseFraming framing{.content_length = reason.size(), .close = true};
  const auto head = FormatResponseHead(status, "", std::span(&type, 1), framing);
  if (!head.ok()) co_return;
  const std::string text = *head + reason;
  std::vector<asio::const_buffer> pieces{asio::buffer(text)};
  const Status sent = co_await stream_->Write(std::move(pieces), state_->options.write_timeout);
  if (sent.ok()) co_await Linger();
}

// False: the connection is over.
Task<bool> HttpConnection::ReadHead(RequestParser& parser, SteadyTime first_byte_deadline) {
  SteadyTime deadline = first_byte_deadline;
  for (;;) {
    const auto fed = parser.FeedHead(stream_->buffered());
    stream_->Consume(fed.consumed);
    if (parser.rejection()) {
      co_await Reject(parser.rejection()->status, parser.rejection()->reason);
      co_return false;
    }
    if (parser.head_done()) co_return true;
    if (idle_ && (fed.consumed > 0 || !stream_->buffered().empty())) {
      idle_ = false;
      deadline = std::chrono::steady_clock::now() + state_->options.header_timeout;
    }
    const Status filled = co_await stream_->Fill(deadline);
    if (filled.ok() || filled.error().code == ErrorCode::kCancelled) continue;
    if (filled.error().code == ErrorCode::kResourceLimit) {
      co_await Reject(431, "the request head is too long");
    } else if (filled.error().code == ErrorCode::kTimeout && !idle_) {
      co_await Reject(408, "the request head did not end in time");
    }
    co_return false;
  }
}

Task<bool> HttpConnection::ServeOne(SteadyTime first_byte_deadline) {
  using Ending = StreamExchange::Ending;
  RequestParser parser(state_->options.max_header_bytes);
  idle_ = stream_->buffered().empty();
  if (!co_await ReadHead(parser, first_byte_deadline)) {
    stream_->Close();
    co_return false;
  }
  idle_ = false;
  StreamExchange exchange(*stream_, parser, ticket_, *state_, remote_);
  co_await RunHandler(state_->handler, exchange);
  const Ending ending = co_await exchange.Finish();
  if (ending == Ending::kNextRequest && state_->registry->accepting()) co_return true;
  if (ending == Ending::kNextRequest || ending == Ending::kClose) co_await Linger();
  if (ending == Ending::kAbort) stream_->Close();
  co_return false;
}

}  // namespace framelock::net
