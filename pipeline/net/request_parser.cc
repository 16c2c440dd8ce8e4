// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/request_parser.h"

#include <algorithm>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>

namespace framelock::net {
namespace http = boost::beast::http;

struct RequestParser::Beast {
  http::request_parser<http::buffer_body> parser;
  bool begun = false;
};

namespace {

// Only the first of a message may be such a line: some clients end a POST with one too many.
constexpr std::byte kCarriageReturn{'\r'};
constexpr std::byte kLineFeed{'\n'};

RequestRejection RejectionOf(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return {431, "the request head is too long"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "malformed request: " + error.message()};
}

boost::asio::const_buffer Buffer(std::span<const std::byte> bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

RequestParser::RequestParser(std::size_t max_header_bytes) : beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(
      std::min<std::size_t>(max_header_bytes, std::numeric_limits<std::uint32_t>::max())));
  // A number on purpose: with "no limit" Boost 1.74 never ends a body that has a Content-Length.
  beast_->parser.body_limit(std::numeric_limits<std::uint64_t>::max());
}

RequestParser::~RequestParser() = default;

void RequestParser::Reject(unsigned status, std::string reason) {
  if (!rejection_) rejection_ = RequestRejection{status, std::move(reason)};
}

RequestParser::Progress RequestParser::FeedHead(std::span<const std::byte> input) {
  Progress progress;
  if (!beast_->begun) {
    const auto first = std::find_if_not(input.begin(), input.end(), [](std::byte b) {
      return b == kCarriageReturn || b == kLineFeed;
    });
    progress.consumed = static_cast<std::size_t>(first - input.begin());
    input = input.subspan(progress.consumed);
    if (input.empty()) return progress;
    beast_->begun = true;
  }
  boost::beast::error_code error;
  progress.consumed += beast_->parser.put(Buffer(input), error);
  if (error && error != http::error::need_more) {
    rejection_ = RejectionOf(error);
  } else if (beast_->parser.is_header_done()) {
    head_done_ = true;
    TakeHead();
    CheckFraming();
  }
  return progress;
}

void RequestParser::TakeHead() {
  const auto& message = beast_->parser.get();
  request_.method = std::string(message.method_string());
  request_.target = std::string(message.target());
  request_.version = message.version();
  std::string_view rest = request_.target;
  // The absolute form is for proxies, but servers have to take it as well.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualsIgnoringCase(rest.substr(0, scheme.size()), scheme)) continue;
    rest.remove_prefix(scheme.size());
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
  }
  const std::size_t question = std::min(rest.find('?'), rest.size());
  request_.path = std::string(rest.substr(0, question));
  if (question < rest.size()) request_.query = std::string(rest.substr(question + 1));
  if (request_.path.empty()) request_.path = "/";
  for (const auto& field : message) {
    request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
}

void RequestParser::CheckFraming() {
  std::size_t hosts = 0;
  std::size_t codings = 0;
  for (const auto& [name, value] : request_.headers) {
    if (EqualsIgnoringCase(name, "Host")) ++hosts;
    if (EqualsIgnoringCase(name, "Transfer-Encoding")) {
      ++codings;
      if (!EqualsIgnoringCase(value, "chunked")) {
        Reject(501, "the only transfer coding spoken here is chunked");
      }
    }
    if (EqualsIgnoringCase(name, "Expect")) {
      if (!EqualsIgnoringCase(value, "100-continue")) Reject(417, "unknown expectation");
      expects_continue_ = request_.version >= 11;
    }
  }
  if (hosts > 1 || (hosts == 0 && request_.version >= 11)) {
    Reject(400, "a request needs exactly one Host header");
  }
  if (codings > 1) Reject(400, "repeated Transfer-Encoding header");
  if (codings > 0 && request_.version < 11) Reject(400, "Transfer-Encoding in HTTP/1.0");
  if (codings > 0 && request_.Header("Content-Length")) {
    Reject(400, "both Transfer-Encoding and Content-Length");
  }
}

Result<RequestParser::Progress> RequestParser::FeedBody(std::span<const std::byte> input,
                                                        std::span<std::byte> output) {
  Progress progress;
  auto& body = beast_->parser.get().body();
  // The parser stops after each element of the framing, so it is asked again while it moves on.
  while (!beast_->parser.is_done() && !input.empty() && !output.empty()) {
    body.data = output.data();
    body.size = output.size();
    boost::beast::error_code error;
    const std::size_t consumed = beast_->parser.put(Buffer(input), error);
    const std::size_t produced = output.size() - body.size;
    progress.consumed += consumed;
    progress.produced += produced;
    input = input.subspan(consumed);
    output = output.subspan(produced);
    if (error == http::error::need_more) break;
    if (error && error != http::error::need_buffer) {
      if (progress.produced > 0) break;  // good bytes first; the fault is still there next time
      return Error{ErrorCode::kProtocol, "broken body framing: " + error.message()};
    }
    if (consumed == 0 && produced == 0 && error != http::error::need_buffer) break;
  }
  return progress;
}

bool RequestParser::body_done() const { return beast_->parser.is_done(); }

std::optional<std::uint64_t> RequestParser::content_length_remaining() const {
  const auto remaining = beast_->parser.content_length_remaining();
  if (!remaining) return std::nullopt;
  return *remaining;
}

bool RequestParser::keep_alive() const { return beast_->parser.keep_alive(); }

}  // namespace framelock::net
