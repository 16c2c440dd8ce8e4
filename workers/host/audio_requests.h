// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "workers/protocol/messages.h"

namespace framelock::host {

/// A worker's answer to a piece of audio, checked.
struct AudioCompleted {
  std::uint64_t sequence = 0;
  std::uint64_t revision = 0;
  std::vector<std::int16_t> samples = {};  // as many as were submitted; none: the prompt gives none
  std::optional<std::string> error = {};   // failed, and why
};

/// The pieces of audio that a worker was given and has not answered: the audio's half of
/// WorkerClient, without the socket. Not thread-safe.
class AudioRequests {
 public:
  static constexpr std::size_t kMaxInFlight = 4;

  struct Request {
    protocol::SubmitAudio message;
    UniqueFd samples;
  };
  /// What to send. kUnavailable: too many are unanswered; kInvalidArgument: the sequence is not
  /// above the last one, or there are no samples or too many.
  [[nodiscard]] Result<Request> Make(std::uint64_t sequence, std::uint32_t sample_rate,
                                     std::span<const std::int16_t> samples) const;
  void OnSent(const protocol::SubmitAudio& message);
  /// kProtocol: it is no answer to what was sent, of a worker whose prompt has this revision.
  Result<AudioCompleted> OnAnswer(PacketSocket::Packet packet, std::uint64_t revision);

 private:
  std::deque<protocol::SubmitAudio> in_flight_;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace framelock::host
