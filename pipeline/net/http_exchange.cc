// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_exchange.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <iterator>
#include <utility>

#include "pipeline/net/web_socket.h"

namespace framelock::net {
namespace asio = boost::asio;
namespace {

// What an early answer may cost: a body longer or slower than this ends the connection instead.
constexpr std::size_t kMaxDrainBytes = 256 * 1024;
constexpr auto kMaxDrainTime = std::chrono::seconds(2);
constexpr std::size_t kPieceBytes = 16 * 1024;

asio::const_buffer Buffer(std::string_view text) { return {text.data(), text.size()}; }

Error AlreadyAnswered() {
  return Error{ErrorCode::kInvalidArgument, "the request was answered already"};
}

// A status that never has a body, nor a length.
bool IsBodiless(unsigned status) { return status == 204 || status == 304; }

}  // namespace

StreamExchange::StreamExchange(TcpStream& stream, RequestParser& parser,
                               ConnectionRegistry::Ticket& ticket, const HttpServerState& state,
                               std::string remote)
    : stream_(stream),
      parser_(parser),
      ticket_(ticket),
      state_(state),
      request_(parser.TakeRequest()),
      awaits_continue_(parser.expects_continue()) {
  request_.remote = std::move(remote);
  static_cast<void>(stream_.TakeInterrupt());
}

Task<Result<std::size_t>> StreamExchange::ReadBody(std::span<std::byte> buffer,
                                                   std::chrono::nanoseconds timeout) {
  if (buffer.empty()) co_return Error{ErrorCode::kInvalidArgument, "no room to read into"};
  if (body_broken_) co_return Error{ErrorCode::kProtocol, "broken body framing"};
  if (stream_.TakeInterrupt()) co_return Error{ErrorCode::kCancelled, "interrupted"};
  if (awaits_continue_ && progress_ == Progress::kUnanswered && stream_.buffered().empty()) {
    const Status sent = co_await SendContinue();
    if (!sent.ok()) co_return sent.error();
  }
  const auto longest = std::min<std::chrono::nanoseconds>(timeout, std::chrono::hours(24 * 365));
  const SteadyTime deadline = std::chrono::steady_clock::now() + longest;
  for (;;) {
    auto fed = parser_.FeedBody(stream_.buffered(), buffer);
    if (!fed.ok()) {
      close_ = body_broken_ = true;
      co_return fed.error();
    }
    stream_.Consume(fed->consumed);
    if (fed->produced > 0) co_return fed->produced;
    if (parser_.body_done()) co_return std::size_t{0};
    if (fed->consumed > 0) continue;
    const Status filled = co_await stream_.Fill(deadline);
    if (filled.ok()) continue;
    if (filled.error().code != ErrorCode::kResourceLimit) co_return filled.error();
    close_ = body_broken_ = true;
    co_return Error{ErrorCode::kProtocol, "broken body framing: endless chunk header"};
  }
}

Task<Result<std::string>> StreamExchange::ReadWholeBody(std::size_t max_bytes) {
  const Error too_long{ErrorCode::kResourceLimit,
                       fmt::format("the body is longer than {} bytes", max_bytes)};
  if (parser_.content_length_remaining().value_or(0) > max_bytes) co_return too_long;
  std::string body;
  std::array<std::byte, kPieceBytes> piece;
  const SteadyTime deadline = std::chrono::steady_clock::now() + state_.options.body_timeout;
  for (;;) {
    const auto size = co_await ReadBody(piece, deadline - std::chrono::steady_clock::now());
    if (!size.ok()) co_return size.error();
    if (*size == 0) co_return body;
    if (body.size() + *size > max_bytes) co_return too_long;
    body.append(reinterpret_cast<const char*>(piece.data()), *size);
  }
}

Task<Status> StreamExchange::Send(std::vector<asio::const_buffer> pieces) {
  Status sent = co_await stream_.Write(std::move(pieces), state_.options.write_timeout);
  if (!sent.ok()) progress_ = Progress::kBroken;
  co_return sent;
}

Task<Status> StreamExchange::SendContinue() {
  if (progress_ != Progress::kUnanswered) co_return AlreadyAnswered();
  awaits_continue_ = false;
  if (request_.version < 11) co_return Status();
  std::vector<asio::const_buffer> pieces{Buffer("HTTP/1.1 100 Continue\r\n\r\n")};
  co_return co_await Send(std::move(pieces));
}

// A body that is long, or that the peer has yet to be invited to send, is not worth the wait.
bool StreamExchange::MustCloseForBody() const {
  if (parser_.body_done()) return false;
  return awaits_continue_ || parser_.content_length_remaining().value_or(0) > kMaxDrainBytes;
}

Result<std::string> StreamExchange::FormatHead(const HttpResponse& response,
                                               ResponseFraming framing) {
  close_ = close_ || response.close || !parser_.keep_alive() || MustCloseForBody() ||
           !state_.registry->accepting();
  framing.close = close_;
  framing.keep_alive = !close_ && request_.version < 11;
  return FormatResponseHead(response.status, response.reason, response.headers, framing);
}

Task<Status> StreamExchange::Respond(HttpResponse response) {
  if (progress_ != Progress::kUnanswered) co_return AlreadyAnswered();
  ResponseFraming framing;
  if (!IsBodiless(response.status)) framing.content_length = response.body.size();
  const auto head = FormatHead(response, framing);
  if (!head.ok()) co_return head.error();
  progress_ = Progress::kAnswered;
  std::vector<asio::const_buffer> pieces{Buffer(*head)};
  if (framing.content_length && !is_head()) pieces.push_back(Buffer(response.body));
  co_return co_await Send(std::move(pieces));
}

// Leaves the head in unsent_.
Status StreamExchange::FormatBegin(const HttpResponse& head) {
  if (progress_ != Progress::kUnanswered) return AlreadyAnswered();
  ResponseFraming framing;
  framing.chunked = request_.version >= 11;
  if (!framing.chunked) close_ = true;
  auto text = FormatHead(head, framing);
  if (!text.ok()) return text.error();
  progress_ = Progress::kStreaming;
  chunked_ = framing.chunked;
  head_ = std::move(text).value();
  unsent_.assign({Buffer(head_)});
  return {};
}

// Adds a piece, as the response's framing has it, to unsent_.
void StreamExchange::Frame(std::span<const std::byte> piece, Then then) {
  const bool framed = chunked_ && !is_head();
  if (!piece.empty() && !is_head()) {
    if (framed) {
      size_line_.clear();
      fmt::format_to(std::back_inserter(size_line_), "{:x}\r\n", piece.size());
      unsent_.push_back(Buffer(size_line_));
    }
    unsent_.emplace_back(piece.data(), piece.size());
    if (framed) unsent_.push_back(Buffer(then == Then::kEnd ? "\r\n0\r\n\r\n" : "\r\n"));
  } else if (framed && then == Then::kEnd) {
    unsent_.push_back(Buffer("0\r\n\r\n"));
  }
  if (then == Then::kEnd) progress_ = Progress::kAnswered;
}

bool StreamExchange::TrySend() {
  if (!stream_.TryWrite(unsent_)) return false;
  unsent_.clear();
  return true;
}

Task<Status> StreamExchange::BeginResponse(HttpResponse head,
                                           std::span<const std::byte> first_piece) {
  const Status begun = FormatBegin(head);
  if (!begun.ok()) co_return begun;
  Frame(first_piece, Then::kMore);
  co_return co_await FlushBody();
}

bool StreamExchange::TryBeginResponse(const HttpResponse& head,
                                      std::span<const std::byte> first_piece, Then then) {
  if (!FormatBegin(head).ok()) return false;
  Frame(first_piece, then);
  return TrySend();
}

Task<Status> StreamExchange::WriteBody(std::span<const std::byte> piece) {
  if (progress_ != Progress::kStreaming) {
    co_return Error{ErrorCode::kInvalidArgument, "no streamed response is open"};
  }
  Frame(piece, Then::kMore);
  co_return co_await FlushBody();
}

bool StreamExchange::TryWriteBody(std::span<const std::byte> piece, Then then) {
  if (progress_ != Progress::kStreaming) return false;
  Frame(piece, then);
  return TrySend();
}

Task<Status> StreamExchange::FlushBody() {
  if (unsent_.empty()) co_return Status();
  co_return co_await Send(std::exchange(unsent_, {}));
}

Task<Status> StreamExchange::EndResponse() {
  if (progress_ != Progress::kStreaming) {
    co_return Error{ErrorCode::kInvalidArgument, "no streamed response is open"};
  }
  Frame({}, Then::kEnd);
  co_return co_await FlushBody();
}

bool StreamExchange::wants_websocket() const {
  return request_.method == "GET" && request_.version >= 11 &&
         ListHasToken(request_.Header("Upgrade").value_or(""), "websocket") &&
         ListHasToken(request_.Header("Connection").value_or(""), "upgrade");
}

Task<Result<std::unique_ptr<WebSocket>>> StreamExchange::Upgrade(std::size_t max_message_bytes) {
  if (progress_ != Progress::kUnanswered) co_return AlreadyAnswered();
  if (!wants_websocket() || !parser_.body_done()) {
    co_return Error{ErrorCode::kInvalidArgument, "not a request for a WebSocket"};
  }
  if (!stream_.buffered().empty()) {  // RFC 6455 4.1: the client waits for the answer
    co_return Error{ErrorCode::kInvalidArgument, "bytes came before the handshake was answered"};
  }
  progress_ = Progress::kUpgraded;
  const WebSocketLimits limits{.max_message_bytes = max_message_bytes,
                               .write_timeout = state_.options.write_timeout};
  co_return co_await AcceptWebSocket(stream_.ReleaseSocket(), request_, limits, std::move(ticket_));
}

Task<bool> StreamExchange::Drain() {
  const SteadyTime deadline = std::chrono::steady_clock::now() + kMaxDrainTime;
  std::array<std::byte, kPieceBytes> scratch;
  std::size_t drained = 0;
  while (drained <= kMaxDrainBytes) {
    const auto size = co_await ReadBody(scratch, deadline - std::chrono::steady_clock::now());
    if (size.ok() && *size == 0) co_return true;
    if (!size.ok() && size.error().code != ErrorCode::kCancelled) co_return false;
    if (size.ok()) drained += *size;
  }
  co_return false;
}

Task<StreamExchange::Ending> StreamExchange::Finish() {
  if (progress_ == Progress::kUpgraded) co_return Ending::kUpgraded;
  if (progress_ == Progress::kUnanswered && !stream_.peer_closed()) {
    HttpResponse failed;
    failed.status = 500;
    failed.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    failed.body = "internal error\n";
    failed.close = true;
    static_cast<void>(co_await Respond(std::move(failed)));
  }
  if (progress_ != Progress::kAnswered || !unsent_.empty()) co_return Ending::kAbort;
  if (close_) co_return Ending::kClose;
  co_return co_await Drain() ? Ending::kNextRequest : Ending::kClose;
}

}  // namespace framelock::net
