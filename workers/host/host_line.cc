// SPDX-License-Identifier: Apache-2.0
#include "workers/host/host_line.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "workers/protocol/message_codec.h"

namespace framelock::host {

Result<PacketSocket> HostLine::Add() const {
  auto pair = PacketSocket::CreatePair();
  if (!pair) return pair.error();
  const std::array<int, 1> fds{pair->second.fd()};
  if (Status sent = socket_.Send(protocol::Encode(protocol::AddHost{}), fds); !sent) {
    return sent.error();
  }
  return std::move(pair->first);
}

void HostLine::End() const { ::shutdown(socket_.fd(), SHUT_RDWR); }

Result<std::optional<std::uint32_t>> HostLine::Receive() const {
  const auto packet = socket_.Receive();
  if (!packet) return packet.error();
  if (!*packet) return std::optional<std::uint32_t>();
  const auto type = protocol::PeekType((*packet)->bytes);
  if (type != protocol::MessageType::kHostAdded || !(*packet)->fds.empty()) {
    return Error{ErrorCode::kProtocol, "the worker answered AddHost with something else"};
  }
  const auto added = protocol::Decode<protocol::HostAdded>((*packet)->bytes);
  if (!added) return added.error();
  return std::optional(added->hosts);
}

}  // namespace framelock::host
