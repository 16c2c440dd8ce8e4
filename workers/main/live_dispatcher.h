// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "workers/graph/session.h"
#include "workers/protocol/messages.h"
#include "workers/protocol/shared_region.h"

namespace framelock::worker {

/// The far side of the protocol without its socket: one message in, its answer out, in order. Owned
/// by the live loop; one thread. A prompt or frame that fails, or throws, is an answer; only a host
/// that breaks the protocol is an error.
///
///   kNobody --Hello--> kGreeted --{SetPrompt, Attach, Submit}*--> ... --Stop--> Next::kStop
///                         ^                                        |
///                         +------- Hello (of a new host) ----------+  region dropped, prompt kept
class LiveDispatcher {
 public:
  using Packet = PacketSocket::Packet;

  /// Where answers and the control page go.
  struct Outlet {
    std::function<Status(std::span<const std::byte> bytes, std::span<const int> fds)> send;
    std::function<void(protocol::SharedMemory)> use_control_page;
  };

  enum class Next : std::uint8_t { kContinue, kStop };

  /// `session` is borrowed and must outlive the dispatcher.
  LiveDispatcher(graph::Session& session, Outlet outlet);

  /// kProtocol: the host broke the protocol; whatever `send` failed with: it is gone.
  Result<Next> Handle(Packet packet);

 private:
  struct Region {
    protocol::RegionLayout layout;
    protocol::SharedMemory memory;
  };

  Status OnHello(Packet packet);
  Status OnSetPrompt(Packet packet);
  Status OnAttach(Packet packet);
  Status OnSubmit(const Packet& packet);

  /// nullopt: applied; else the error document.
  std::optional<std::string> TryPrompt(std::uint64_t revision, std::string_view json);
  Result<Region> TryAttach(const protocol::Attach& message, UniqueFd fd) const;
  /// Fills in outcome, output size and error.
  Status RunFrame(const protocol::Submit& message, protocol::Completed& answer);

  /// What the current prompt makes of the attached format.
  graph::Session::Shape OutputShape();
  [[nodiscard]] graph::Session::Shape InputShape() const;

  template <typename Message>
  Status Send(const Message& message, std::span<const int> fds = {});

  graph::Session& session_;
  Outlet outlet_;
  bool greeted_ = false;
  std::uint64_t revision_ = 0;       // of the applied prompt
  std::uint64_t last_revision_ = 0;  // of the last one offered
  std::uint64_t last_generation_ = 0;
  std::optional<Region> region_;
};

}  // namespace framelock::worker
