// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/tcp_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

namespace framelock::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr std::size_t kFirstBuffer = 4096;
constexpr unsigned kMaxBurst = 32;
constexpr auto kForever = std::chrono::hours(24 * 365);

bool WouldBlock(const boost::system::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

// A dead host is noticed after about a minute and a half, also by a request that only waits.
void SetOptions(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&socket](int option, int value) {
    static_cast<void>(
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof(value)));
  };
  set(TCP_KEEPIDLE, 60);
  set(TCP_KEEPINTVL, 10);
  set(TCP_KEEPCNT, 3);
}

}  // namespace

TcpStream::TcpStream(tcp::socket socket, std::size_t max_buffer)
    : socket_(std::move(socket)),
      read_(socket_.get_executor()),
      write_(socket_.get_executor()),
      max_buffer_(max_buffer) {
  SetOptions(socket_);
}

void TcpStream::Consume(std::size_t size) {
  begin_ += std::min(size, end_ - begin_);
  if (begin_ == end_) begin_ = end_ = 0;
}

void TcpStream::Arm(Readiness TcpStream::*direction, tcp::socket::wait_type type) {
  if ((this->*direction).armed) return;
  (this->*direction).armed = true;
  socket_.async_wait(type,
                     [self = shared_from_this(), direction](const boost::system::error_code&) {
                       Readiness& readiness = (*self).*direction;
                       readiness.armed = false;
                       readiness.ready = true;
                       readiness.timer.cancel();
                     });
}

// Returns when the socket is ready, the deadline has passed or somebody cancelled the timer.
Task<> TcpStream::Await(Readiness TcpStream::*direction, tcp::socket::wait_type type,
                        SteadyTime deadline) {
  Readiness& readiness = this->*direction;
  burst_ = 0;
  Arm(direction, type);
  boost::system::error_code ignored;
  readiness.timer.expires_at(deadline);
  co_await readiness.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// A peer that is always ready must not keep the loop from the others.
Task<> TcpStream::YieldNowAndThen() {
  if (++burst_ < kMaxBurst) co_return;
  burst_ = 0;
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// A peer that fills the buffer in one go gets a larger one: each read costs a call.
bool TcpStream::MakeRoom() {
  const bool grow = std::exchange(filled_, false) && buffer_.size() < max_buffer_;
  if (end_ < buffer_.size() && !grow) return true;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (!grow) return true;
  }
  if (buffer_.size() >= max_buffer_) return false;
  buffer_.resize(std::min(std::max(buffer_.size() * 2, kFirstBuffer), max_buffer_));
  return true;
}

Status TcpStream::PeerClosed() {
  peer_closed_ = true;
  return Error{ErrorCode::kClosed, "the peer closed the connection"};
}

Task<Status> TcpStream::Fill(SteadyTime deadline) {
  if (!MakeRoom()) co_return Error{ErrorCode::kResourceLimit, "read buffer full"};
  co_await YieldNowAndThen();
  for (;;) {
    boost::system::error_code error;
    const std::size_t size =
        socket_.read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), error);
    if (!error) {
      end_ += size;
      filled_ = end_ == buffer_.size();
      co_return Status();
    }
    if (!WouldBlock(error)) co_return PeerClosed();
    read_.ready = false;
    while (!read_.ready) {
      if (TakeInterrupt()) co_return Error{ErrorCode::kCancelled, "interrupted"};
      if (std::chrono::steady_clock::now() >= deadline) {
        co_return Error{ErrorCode::kTimeout, "nothing came within the time given"};
      }
      co_await Await(&TcpStream::read_, tcp::socket::wait_read, deadline);
    }
  }
}

Task<Status> TcpStream::WaitForPeerClose() {
  for (;;) {
    if (peer_closed_) co_return PeerClosed();
    const Status filled = co_await Fill(std::chrono::steady_clock::now() + kForever);
    if (filled.ok()) continue;
    // So many bytes behind a waiting request would hide the peer's end: it counts as gone.
    if (filled.error().code == ErrorCode::kResourceLimit) co_return PeerClosed();
    co_return filled;
  }
}

void TcpStream::Interrupt() {
  interrupted_ = true;
  read_.timer.cancel();
}

// Takes what was written off the front.
boost::system::error_code TcpStream::WriteSome(std::span<asio::const_buffer>& pieces) {
  boost::system::error_code error;
  std::size_t size = socket_.write_some(std::span<const asio::const_buffer>(pieces), error);
  while (!pieces.empty() && size >= pieces.front().size()) {
    size -= pieces.front().size();
    pieces.front() = {};
    pieces = pieces.subspan(1);
  }
  if (size > 0) pieces.front() += size;
  return error;
}

bool TcpStream::TryWrite(std::span<asio::const_buffer> pieces) {
  while (!pieces.empty()) {
    if (WriteSome(pieces)) break;
  }
  return pieces.empty();
}

Task<Status> TcpStream::Write(std::vector<asio::const_buffer> pieces,
                              std::chrono::nanoseconds stall) {
  std::span<asio::const_buffer> left(pieces);
  co_await YieldNowAndThen();
  for (;;) {
    const auto error = WriteSome(left);
    if (left.empty()) co_return Status();
    if (!error) continue;
    if (!WouldBlock(error)) co_return PeerClosed();
    const SteadyTime deadline = std::chrono::steady_clock::now() + stall;
    write_.ready = false;
    while (!write_.ready) {
      if (std::chrono::steady_clock::now() >= deadline) {
        co_return Error{ErrorCode::kTimeout, "the peer took nothing for too long"};
      }
      co_await Await(&TcpStream::write_, tcp::socket::wait_write, deadline);
    }
  }
}

void TcpStream::ShutdownSend() {
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void TcpStream::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  peer_closed_ = true;
  read_.ready = write_.ready = true;
  read_.timer.cancel();
  write_.timer.cancel();
}

}  // namespace framelock::net
