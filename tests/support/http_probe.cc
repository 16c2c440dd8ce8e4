// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace framelock::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string Hex(std::size_t number) {
  std::array<char, 32> text{};
  return {text.data(),
          static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%zx", number))};
}

}  // namespace

HttpProbe::HttpProbe(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("HttpProbe: connect");
    peer_ended_ = true;
  }
}

HttpProbe& HttpProbe::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return *this;
}

HttpProbe& HttpProbe::Request(std::string_view method, std::string_view target,
                              const Headers& headers, std::optional<std::string_view> body) {
  std::string head =
      std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: test\r\n";
  for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
  if (body) head += "Content-Length: " + std::to_string(body->size()) + "\r\n";
  head += "\r\n";
  if (body) head += *body;
  return Send(head);
}

HttpProbe& HttpProbe::RequestChunked(std::string_view method, std::string_view target,
                                     const Headers& headers) {
  Headers all = headers;
  all.emplace_back("Transfer-Encoding", "chunked");
  return Request(method, target, all);
}

HttpProbe& HttpProbe::Chunk(std::string_view bytes) {
  return Send(Hex(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n");
}

bool HttpProbe::Fill(Deadline deadline) {
  if (peer_ended_) return false;
  const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now()).count();
  pollfd poll{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (left <= 0 || ::poll(&poll, 1, static_cast<int>(left)) <= 0) return false;
  std::array<char, 65536> piece;
  const ssize_t size = ::recv(socket_.get(), piece.data(), piece.size(), 0);
  if (size <= 0) {
    peer_ended_ = true;
    return false;
  }
  buffer_.append(piece.data(), static_cast<std::size_t>(size));
  return true;
}

bool HttpProbe::ReadHead(Milliseconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  for (;;) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (!Fill(deadline)) return false;
      continue;
    }
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    status_ = std::stoi(head.substr(head.find(' ') + 1));
    if (status_ < 200 && status_ != 101) {
      ++interim_;
      continue;
    }
    headers_.clear();
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t line_end = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      const std::size_t value = head.find_first_not_of(" \t", colon + 1);
      headers_[Lower(head.substr(at, colon - at))] = head.substr(value, line_end - value);
      at = line_end + 2;
    }
    chunked_ = Header("transfer-encoding") == "chunked";
    length_.reset();
    if (const auto length = Header("content-length")) length_ = std::stoul(*length);
    body_ended_ = false;
    return true;
  }
}

std::optional<std::string> HttpProbe::Header(const std::string& name) const {
  const auto found = headers_.find(name);
  if (found == headers_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> HttpProbe::SomeUntil(Deadline deadline) {
  if (body_ended_) return "";
  for (;;) {
    std::size_t begin = 0;
    std::size_t size = length_.value_or(0);
    std::size_t tail = 0;
    bool known = length_.has_value();
    if (chunked_) {
      const std::size_t line = buffer_.find("\r\n");
      known = line != std::string::npos;
      if (known) size = std::stoul(buffer_.substr(0, line), nullptr, 16);
      begin = line + 2;
      tail = 2;
    }
    if (known && buffer_.size() >= begin + size + tail) {
      std::string piece = buffer_.substr(begin, size);
      buffer_.erase(0, begin + size + tail);
      body_ended_ = !chunked_ || size == 0;
      return piece;
    }
    if (Fill(deadline)) continue;
    // Without a length the peer's end is the body's end.
    if (chunked_ || length_ || !peer_ended_) return std::nullopt;
    body_ended_ = true;
    return std::exchange(buffer_, {});
  }
}

std::optional<std::string> HttpProbe::Some(Milliseconds timeout) {
  return SomeUntil(Clock::now() + timeout);
}

std::string HttpProbe::AtLeast(std::size_t size, Milliseconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  std::string all;
  while (all.size() < size) {
    const auto piece = SomeUntil(deadline);
    if (!piece || piece->empty()) break;
    all += *piece;
  }
  return all;
}

std::optional<std::string> HttpProbe::Body(Milliseconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  std::string all;
  for (;;) {
    const auto piece = SomeUntil(deadline);
    if (!piece) return std::nullopt;
    if (piece->empty()) return all;
    all += *piece;
  }
}

std::string HttpProbe::Raw(Milliseconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  while (Fill(deadline)) {
  }
  return std::exchange(buffer_, {});
}

bool HttpProbe::PeerClosed(Milliseconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  while (Fill(deadline)) {
  }
  return peer_ended_;
}

void HttpProbe::Abort() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
  socket_.reset();
}

HttpAnswer Ask(std::uint16_t port, std::string_view method, std::string_view target,
               HttpProbe::Headers headers, std::optional<std::string_view> body) {
  HttpProbe probe(port);
  headers.emplace_back("Connection", "close");
  probe.Request(method, target, headers, body);
  HttpAnswer answer;
  if (!probe.ReadHead()) return answer;
  answer.status = probe.status();
  answer.headers = probe.headers();
  if (method != "HEAD") answer.body = probe.Body().value_or("<cut off>");
  return answer;
}

}  // namespace framelock::test
