// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/fake_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace framelock::testing {
namespace {

UniqueFd ListenOnLoopback(std::uint16_t& port) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener.get(), 16) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("the fake server cannot listen");
    std::abort();
  }
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

bool ReadExactly(int fd, void* to, std::size_t size) {
  return size == 0 || recv(fd, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string ReadHead(int fd) {
  std::string head;
  char c = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (!ReadExactly(fd, &c, 1)) return {};
    head.push_back(c);
  }
  return head;
}

std::string HeaderValue(const std::string& head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == std::string::npos) return {};
  const std::size_t begin = head.find_first_not_of(' ', at + name.size());
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

FakeListener::FakeListener(Serve serve)
    : serve_(std::move(serve)), listener_(ListenOnLoopback(port_)) {
  acceptor_ = std::thread([this] { Accept(); });
}

FakeListener::~FakeListener() {
  shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (const UniqueFd& socket : sockets_) shutdown(socket.get(), SHUT_RDWR);
  for (std::thread& session : sessions_) session.join();
}

void FakeListener::Accept() {
  for (;;) {
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    sockets_.emplace_back(fd);
    sessions_.emplace_back([this, fd] {
      serve_(fd);
      shutdown(fd, SHUT_RDWR);
    });
  }
}

DeadListener::DeadListener() : listener_(ListenOnLoopback(port_)) {}

}  // namespace framelock::testing
