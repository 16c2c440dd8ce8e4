// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"

namespace framelock::host {

/// Brings further hosts to a worker, over the socket that it was started with and after its
/// Welcome; the worker answers in order. Owned by whoever shares the worker out; one thread.
class HostLine {
 public:
  explicit HostLine(PacketSocket socket) : socket_(std::move(socket)) {}

  /// Readable when Receive() may have something.
  [[nodiscard]] int fd() const { return socket_.fd(); }

  /// A new host's end of a socket of its own, to be greeted at once. kUnavailable: the line is
  /// full; kClosed: the worker is gone.
  [[nodiscard]] Result<PacketSocket> Add() const;

  /// The answer to the eldest Add() that has none yet: how many hosts there are; 0: refused.
  /// nullopt: none now. kClosed: the worker is gone, perhaps because it knows no further hosts;
  /// kProtocol: it said something else.
  [[nodiscard]] Result<std::optional<std::uint32_t>> Receive() const;

  /// The worker sees it close, whoever else has it open.
  void End() const;

 private:
  PacketSocket socket_;
};

}  // namespace framelock::host
