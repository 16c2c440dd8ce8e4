// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "workers/graph/session.h"
#include "workers/main/prompt_loader.h"
#include "workers/protocol/messages.h"
#include "workers/protocol/shared_region.h"

namespace framelock::worker {

/// The far side of the protocol without its socket: one message in, its answer out, in order; but a
/// prompt is answered when it has been loaded, between two frames, and the frames go on meanwhile.
/// Owned by the live loop; one thread. A prompt or frame that fails, or throws, is an answer; only
/// a host that breaks the protocol is an error.
///
///   kNobody --Hello--> kGreeted --{SetPrompt, Attach, Submit, …}*--> ... --Stop--> Next::kStop
///                         ^                                        |
///                         +------- Hello (of a new host) ----------+  region dropped, prompt kept,
///                                                      what the host before had loaded forgotten
class LiveDispatcher {
 public:
  using Packet = PacketSocket::Packet;

  /// Where answers, the control page and further hosts go.
  struct Outlet {
    std::function<Status(std::span<const std::byte> bytes, std::span<const int> fds)> send;
    /// The same for what may be lost: fails where there is no room for it now.
    std::function<Status(std::span<const std::byte> bytes, std::span<const int> fds)> offer;
    std::function<void(protocol::SharedMemory)> use_control_page;
    /// Serves a host on this socket, too; the number of hosts then. Unset: AddHost is no message.
    std::function<Result<std::uint32_t>(UniqueFd socket)> add_host;
  };

  enum class Next : std::uint8_t { kContinue, kStop };

  /// `loader` is borrowed and must outlive the dispatcher.
  LiveDispatcher(PromptLoader& loader, Outlet outlet);

  /// kProtocol: the host broke the protocol; whatever `send` failed with: it is gone.
  Result<Next> Handle(Packet packet);

  /// Lets the prompt that has been loaded take over, if there is one. To be called between any two
  /// messages.
  Status MoveOn();

  /// The conversation is over: the graph goes on the loader's thread, so that nobody waits for it.
  void Retire() { loader_.Discard(std::move(session_)); }

 private:
  struct Region {
    protocol::RegionLayout layout;
    protocol::SharedMemory memory;
  };

  Status OnHello(Packet packet);
  Status OnConfigure(Packet packet);
  Status OnSetPrompt(Packet packet);
  Status OnAttach(Packet packet);
  Status OnSubmit(const Packet& packet);
  Status OnSubmitAudio(Packet packet);
  Status OnAddHost(Packet packet);

  void Load(PromptLoader::Job job);
  Status Adopt(PromptLoader::Loaded loaded);
  Status Reject(std::uint64_t revision, std::string errors_json);
  Result<Region> TryAttach(const protocol::Attach& message, UniqueFd fd) const;
  /// Fills in outcome, output size and error.
  Status RunFrame(const protocol::Submit& message, protocol::Completed& answer);
  Result<std::span<const std::int16_t>> RunAudio(const graph::Session::AudioPiece& piece);
  [[nodiscard]] std::uint32_t AudioMs() const;
  void OfferTexts(std::uint64_t sequence);
  Status OfferText(std::uint64_t sequence, std::string_view text, bool of_sound);

  [[nodiscard]] graph::Session::Shape InputShape() const;

  template <typename Message>
  Status Send(const Message& message, std::span<const int> fds = {});

  enum class Loading : std::uint8_t { kNothing, kWanted, kForgotten };  // its host is gone

  PromptLoader& loader_;
  Outlet outlet_;
  std::unique_ptr<graph::Session> session_;  // of the applied prompt; null: there is none
  Loading loading_ = Loading::kNothing;
  std::optional<PromptLoader::Job> next_;  // to be loaded after what is being loaded
  std::string settings_;                   // of the prompts to come
  bool greeted_ = false;
  bool texts_wanted_ = false;  // by this host
  std::uint64_t lost_texts_ = 0;
  std::uint64_t revision_ = 0;       // of the applied prompt
  std::uint64_t last_revision_ = 0;  // of the last one offered
  std::uint64_t last_generation_ = 0;
  std::optional<Region> region_;
};

}  // namespace framelock::worker
