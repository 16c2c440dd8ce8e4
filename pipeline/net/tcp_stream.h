// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>  // Boost 1.74 forgets it: must come first

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"

namespace framelock::net {

/// A connected socket with a read buffer, for one reading and one writing coroutine at a time; loop
/// thread only. Nothing is ever cancelled on the socket itself: waits end by timers, so a timeout
/// or an interrupt loses no byte and disturbs no write. Shared, because a wait for the socket that
/// nobody waits for any more stays with the loop until the socket closes.
class TcpStream : public std::enable_shared_from_this<TcpStream> {
 public:
  /// `max_buffer` bounds the bytes read ahead.
  TcpStream(boost::asio::ip::tcp::socket socket, std::size_t max_buffer);

  /// Bytes read and not yet consumed.
  [[nodiscard]] std::span<const std::byte> buffered() const {
    return std::span(buffer_).subspan(begin_, end_ - begin_);
  }
  void Consume(std::size_t size);

  /// Reads at least one more byte. kClosed: the peer is gone; kTimeout; kCancelled: interrupted;
  /// kResourceLimit: the buffer is full.
  Task<Status> Fill(SteadyTime deadline);
  /// Reads ahead until the peer is gone (kClosed) or Interrupt() (kCancelled). A peer that sends
  /// more than the buffer takes counts as gone.
  Task<Status> WaitForPeerClose();
  /// Ends the wait of the reading coroutine, or its next one.
  void Interrupt();
  /// True, once, if an interrupt has not ended a wait yet.
  bool TakeInterrupt() { return std::exchange(interrupted_, false); }

  /// Writes everything. kTimeout: the peer took nothing for `stall`; kClosed: it is gone.
  Task<Status> Write(std::vector<boost::asio::const_buffer> pieces, std::chrono::nanoseconds stall);

  /// Writes what the socket takes at once and takes that off the pieces; nobody else may be
  /// writing. True: all of it. What is left, or a peer that is gone, is for Write().
  bool TryWrite(std::span<boost::asio::const_buffer> pieces);

  [[nodiscard]] bool peer_closed() const { return peer_closed_; }
  void ShutdownSend();
  void Close();
  /// Gives the socket away, for another protocol; this stream is dead after it.
  boost::asio::ip::tcp::socket ReleaseSocket() { return std::move(socket_); }

 private:
  // One direction's wait: the socket's readiness, remembered, and the timer that wakes the waiter.
  struct Readiness {
    explicit Readiness(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    bool armed = false;
    bool ready = false;
  };

  void Arm(Readiness TcpStream::*direction, boost::asio::ip::tcp::socket::wait_type type);
  Task<> Await(Readiness TcpStream::*direction, boost::asio::ip::tcp::socket::wait_type type,
               SteadyTime deadline);
  Task<> YieldNowAndThen();
  boost::system::error_code WriteSome(std::span<boost::asio::const_buffer>& pieces);
  bool MakeRoom();
  Status PeerClosed();

  boost::asio::ip::tcp::socket socket_;
  Readiness read_;
  Readiness write_;
  std::vector<std::byte> buffer_;
  const std::size_t max_buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // by the last read, to its end
  unsigned burst_ = 0;   // transfers in a row that did not have to wait
  bool interrupted_ = false;
  bool peer_closed_ = false;
};

}  // namespace framelock::net
