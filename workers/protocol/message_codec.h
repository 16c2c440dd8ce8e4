// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "pipeline/core/result.h"
#include "workers/protocol/messages.h"

namespace framelock::protocol {

/// The bytes of a message as they go over the socket. Borrows the message: do not keep the bytes
/// of a temporary.
template <typename Message>
std::span<const std::byte> Encode(const Message& message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  static_assert(std::has_unique_object_representations_v<Message>, "padding would leak memory");
  return std::as_bytes(std::span<const Message, 1>(&message, 1));
}

/// The type field of a packet; nullopt if it is too short to have one. Not yet known to be one of
/// the enumerators.
inline std::optional<MessageType> PeekType(std::span<const std::byte> packet) {
  if (packet.size() < sizeof(std::uint32_t)) return std::nullopt;
  std::uint32_t number = 0;
  std::memcpy(&number, packet.data(), sizeof number);
  return static_cast<MessageType>(number);
}

/// A message out of a packet: kProtocol unless type and size are exactly those of Message. The
/// numbers in it are not checked yet.
template <typename Message>
Result<Message> Decode(std::span<const std::byte> packet) {
  static_assert(std::is_trivially_copyable_v<Message>);
  if (PeekType(packet) != Message{}.type) {
    return Error{ErrorCode::kProtocol, "message has another type than expected"};
  }
  if (packet.size() != sizeof(Message)) {
    return Error{ErrorCode::kProtocol, "message of type " +
                                           std::to_string(static_cast<int>(Message{}.type)) +
                                           " has " + std::to_string(packet.size()) +
                                           " bytes instead of " + std::to_string(sizeof(Message))};
  }
  Message message;
  std::memcpy(&message, packet.data(), sizeof message);
  return message;
}

}  // namespace framelock::protocol
