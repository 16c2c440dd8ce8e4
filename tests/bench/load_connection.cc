// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "pipeline/net/url.h"

namespace framelock::bench {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kEventsAtOnce = 32;  // few: between them the publishers get their turn

}  // namespace

Result<ServerAddress> ServerAddress::Parse(std::string_view url) {
  const auto parsed = net::Url::Parse(url, {"http"});
  if (!parsed) return Error{ErrorCode::kInvalidArgument, "peer URL: " + parsed.error().message};
  std::string base = parsed->path();
  while (!base.empty() && base.back() == '/') base.pop_back();
  return ServerAddress{.host = parsed->host() == "localhost" ? "127.0.0.1" : parsed->host(),
                       .port = parsed->port(),
                       .base = std::move(base)};
}

Result<std::unique_ptr<LoadLoop>> LoadLoop::Create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoError("create an epoll set");
  return std::unique_ptr<LoadLoop>(new LoadLoop(std::move(epoll)));
}

void LoadLoop::RunOnce(SteadyTime deadline) {
  using std::chrono::nanoseconds;
  const auto left =
      std::max<nanoseconds>(deadline - std::chrono::steady_clock::now(), nanoseconds(0));
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000,
                         .tv_nsec = left.count() % 1'000'000'000};
  std::array<epoll_event, kEventsAtOnce> events;
  const int ready = ::epoll_pwait2(epoll_.get(), events.data(), kEventsAtOnce, &timeout, nullptr);
  for (int i = 0; i < ready; ++i) {
    static_cast<LoadConnection*>(events[static_cast<std::size_t>(i)].data.ptr)
        ->OnReady(events[static_cast<std::size_t>(i)].events);
  }
}

LoadConnection::LoadConnection(LoadLoop& loop, const ServerAddress& server,
                               AnswerParser::Events events)
    : loop_(loop),
      server_(server),
      events_{.on_head = std::move(events.on_head),
              .on_bytes = std::move(events.on_bytes),
              .on_end =
                  [this, then = std::move(events.on_end)] {
                    answer_due_ = false;
                    then();
                  }},
      parser_(events_) {}

bool LoadConnection::Connect() {
  socket_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server_.port);
  const int one = 1;
  if (!socket_.valid() || ::inet_pton(AF_INET, server_.host.c_str(), &address.sin_addr) != 1 ||
      ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
      (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
       errno != EINPROGRESS)) {
    failed_ = true;
    return false;
  }
  ++loop_.connects_;
  parser_ = AnswerParser(events_);
  Watch(EPOLLIN, EPOLL_CTL_ADD);
  return true;
}

void LoadConnection::Watch(std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  if (::epoll_ctl(loop_.epoll_.get(), operation, socket_.get(), &event) != 0) failed_ = true;
}

void LoadConnection::Request(std::string_view bytes) {
  answer_due_ = true;
  Send(bytes);
}

void LoadConnection::Send(std::string_view bytes) {
  if (!socket_.valid() && !Connect()) return;
  unsent_.append(bytes);
  Flush();
}

void LoadConnection::Close() {
  socket_ = UniqueFd();
  unsent_.clear();
  waits_to_write_ = false;
}

void LoadConnection::Flush() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      unsent_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != ENOTCONN) failed_ = true;
      break;
    }
  }
  const bool wait = !unsent_.empty() && !failed_;
  if (wait != std::exchange(waits_to_write_, wait)) {
    Watch(wait ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }
}

void LoadConnection::Receive() {
  static thread_local std::array<char, kReceiveBytes> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    // A server may close what it has answered.
    failed_ = failed_ || answer_due_;
    return Close();
  }
  parser_.Feed({buffer.data(), static_cast<std::size_t>(got)});
  if (parser_.broken()) {
    failed_ = true;
    Close();
  }
}

void LoadConnection::OnReady(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) Flush();
  if (socket_.valid() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Receive();
}

}  // namespace framelock::bench
