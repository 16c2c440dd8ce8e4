// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock {

/// One end of an AF_UNIX SOCK_SEQPACKET pair: message boundaries hold, descriptors travel along,
/// a dead peer reads as end of file. Non-blocking; poll fd() for readiness. Not thread-safe,
/// except that one thread may send while another receives.
class PacketSocket {
 public:
  /// Most bytes of one message, and most descriptors that ride with it.
  static constexpr std::size_t kMaxBytes = 64 * 1024;
  static constexpr std::size_t kMaxFds = 4;

  struct Packet {
    std::vector<std::byte> bytes;
    std::vector<UniqueFd> fds;
  };

  PacketSocket() = default;
  explicit PacketSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  /// Two connected ends, close-on-exec and non-blocking.
  static Result<std::pair<PacketSocket, PacketSocket>> CreatePair();

  /// Takes a descriptor inherited from a parent process: checks that it is a SEQPACKET socket and
  /// sets close-on-exec and non-blocking. On failure the descriptor is closed.
  static Result<PacketSocket> Adopt(UniqueFd fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  UniqueFd release() { return std::move(fd_); }

  /// Sends one message. The descriptors are duplicated into the peer; the caller keeps its own.
  /// kUnavailable: the socket is full (poll for writing); kClosed: the peer is gone.
  Status Send(std::span<const std::byte> bytes, std::span<const int> fds = {}) const;

  /// Takes one message if there is one; nullopt: none now. kClosed: the peer is gone;
  /// kProtocol: a message was longer than kMaxBytes or carried too many descriptors.
  Result<std::optional<Packet>> Receive() const;

 private:
  UniqueFd fd_;
};

}  // namespace framelock
