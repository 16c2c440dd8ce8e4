// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scripted_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace framelock::testing {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};

bool Readable(int fd, std::chrono::milliseconds timeout) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, static_cast<int>(timeout.count())) > 0;
}

std::string Lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

void ScriptedServer::Exchange::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void ScriptedServer::Exchange::Answer(unsigned status, std::string_view headers,
                                      std::string_view body) const {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " scripted\r\n";
  answer += headers;
  answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  answer += body;
  Send(answer);
}

void ScriptedServer::Exchange::BeginBody(std::uint64_t seq, std::string_view headers) const {
  std::string head =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: video/mp2t\r\n";
  head += "Lp-Trickle-Seq: " + std::to_string(seq) + "\r\n";
  head += headers;
  Send(head + "\r\n");
}

void ScriptedServer::Exchange::Chunk(std::string_view bytes) const {
  char size[24];
  snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  Send(std::string(size) + std::string(bytes) + "\r\n");
}

bool ScriptedServer::Exchange::Fill() {
  char buffer[16384];
  const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  pending_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> ScriptedServer::Exchange::ReadLine() {
  std::size_t end = 0;
  while ((end = pending_.find("\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return line;
}

std::optional<std::string> ScriptedServer::Exchange::ReadChunk() {
  const std::optional<std::string> line = ReadLine();
  if (!line) return std::nullopt;
  const std::size_t size = std::strtoul(line->c_str(), nullptr, 16);
  while (pending_.size() < size + 2) {
    if (!Fill()) return std::nullopt;
  }
  std::string chunk = pending_.substr(0, size);
  pending_.erase(0, size + 2);
  return chunk;
}

std::optional<std::string> ScriptedServer::Exchange::ReadBody() {
  std::string body;
  while (true) {
    const std::optional<std::string> chunk = ReadChunk();
    if (!chunk) return std::nullopt;
    if (chunk->empty()) return body;
    body += *chunk;
  }
}

bool ScriptedServer::Exchange::WaitForPeer(std::chrono::milliseconds timeout) const {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < until && !server_.stopping()) {
    if (Readable(fd_, std::min(timeout, kLookAgain))) return true;
  }
  return false;
}

void ScriptedServer::Exchange::Hold() const {
  while (!server_.stopping()) {
    char byte = 0;
    if (!Readable(fd_, kLookAgain)) continue;
    if (recv(fd_, &byte, 1, MSG_PEEK) <= 0) return;
    std::this_thread::sleep_for(kLookAgain);
  }
}

void ScriptedServer::Exchange::Close() {
  closed_ = true;
  shutdown(fd_, SHUT_RDWR);
}

void ScriptedServer::Exchange::Reset() {
  closed_ = true;
  const linger abort{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

ScriptedServer::ScriptedServer(std::uint16_t port) {
  listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 64) != 0) std::abort();
  getsockname(listener_.get(), generic, &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  stopping_.store(true);
  acceptor_.join();
  for (Connection& connection : connections_) {
    shutdown(connection.fd.get(), SHUT_RDWR);
    connection.thread.join();
  }
}

void ScriptedServer::On(std::string request_line, Script script) {
  const std::lock_guard lock(mutex_);
  scripts_[std::move(request_line)] = std::move(script);
}

std::string ScriptedServer::Url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedServer::Count(std::string_view request_line) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(requests_.begin(), requests_.end(), request_line));
}

void ScriptedServer::Accept() {
  while (!stopping_.load()) {
    if (!Readable(listener_.get(), kLookAgain)) continue;
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    accepted_.fetch_add(1);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back(Connection{UniqueFd(fd), {}});
    connections_.back().thread = std::thread([this, fd] { Serve(fd); });
  }
}

void ScriptedServer::Serve(int fd) {
  std::string pending;
  while (!stopping_.load()) {
    Exchange exchange(*this, fd, pending);
    if (!ServeOne(exchange)) break;
  }
  // The peer must see the end now; the descriptor's number must not be used again before the join.
  const int replacement = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(replacement, fd);
  close(replacement);
}

bool ScriptedServer::ServeOne(Exchange& exchange) {
  const std::optional<std::string> first = exchange.ReadLine();
  if (!first) return false;
  Request request;
  request.method = first->substr(0, first->find(' '));
  request.target = first->substr(request.method.size() + 1);
  request.target = request.target.substr(0, request.target.find(' '));
  while (true) {
    const std::optional<std::string> line = exchange.ReadLine();
    if (!line) return false;
    if (line->empty()) break;
    const std::size_t colon = std::min(line->find(':'), line->size());
    const std::size_t value = line->find_first_not_of(' ', colon + 1);
    request.headers[Lowered(line->substr(0, colon))] =
        value == std::string::npos ? "" : line->substr(value);
  }
  const std::string request_line = request.method + " " + request.target;
  Script script;
  {
    const std::lock_guard lock(mutex_);
    request.ordinal =
        static_cast<std::size_t>(std::count(requests_.begin(), requests_.end(), request_line));
    requests_.push_back(request_line);
    for (const std::string& key : {request_line, request.method + " *"}) {
      if (const auto found = scripts_.find(key); !script && found != scripts_.end()) {
        script = found->second;
      }
    }
  }
  if (script) {
    script(exchange, request);
  } else {
    exchange.Answer(404, request.method == "POST" ? "Connection: close\r\n" : "",
                    "Stream not found\n");
    if (request.method == "POST") exchange.Close();
  }
  return !exchange.closed();
}

}  // namespace framelock::testing
