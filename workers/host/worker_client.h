// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/frame_sequence.h"
#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "workers/host/audio_requests.h"
#include "workers/protocol/messages.h"
#include "workers/protocol/shared_region.h"

namespace framelock::host {

/// What a worker is set to that was told nothing: the settings are a JSON object.
inline constexpr std::string_view kNoSettings = "{}";

/// What becomes of a prompt with settings that the worker does not take.
inline constexpr char kNoSettingsErrors[] =
    R"({"error":{"type":"settings_not_supported","message":"The worker takes no settings",)"
    R"("details":"","extra_info":{}},"node_errors":{}})";

/// The near side of one worker's socket: writes the messages, checks the answers. Owns the socket
/// and the control page, not the process. Never blocks: poll fd(), then call Receive() until it
/// says nullopt. One thread at a time.
///
/// States: kGreeting -(Welcome)-> kReady; any -(peer closed or broke the protocol)-> kGone, for
/// good. Whatever the worker sends is looked up and range-checked; a message that does not fit the
/// state is kProtocol and the worker must be replaced.
class WorkerClient {
 public:
  struct Welcomed {
    std::int32_t pid;
    std::uint64_t revision;
  };
  struct PromptApplied {
    std::uint64_t revision;
    std::uint32_t output_width, output_height;
    std::uint32_t audio_ms;  // how much audio SubmitAudio is to bring; 0: the prompt takes none
  };
  struct PromptRejected {
    std::uint64_t revision;
    std::string errors_json;
  };
  struct Attached {
    std::uint64_t generation;
    std::uint32_t output_width, output_height;
    std::uint32_t audio_ms;  // of the prompt at work
  };
  using Completed = protocol::Completed;
  struct FrameText {  // of a frame in flight; its Completed follows
    std::uint64_t sequence;
    bool of_sound;  // said of sound, not of the frame
    std::uint64_t text_bytes;
    std::string text;  // empty if text_bytes is above protocol::kMaxFrameTextBytes
  };
  using AudioCompleted = host::AudioCompleted;
  using Event = std::variant<Welcomed, PromptApplied, PromptRejected, Attached, Completed,
                             FrameText, AudioCompleted>;

  /// Takes the near end of a worker's socket and says Hello. The worker may have had another host
  /// before: its prompt stays, its region is dropped.
  static Result<std::unique_ptr<WorkerClient>> Greet(PacketSocket socket,
                                                     const Clock& clock = Clock::System());
  ~WorkerClient();

  [[nodiscard]] int fd() const;

  /// At most one SetPrompt is outstanding; kUnavailable otherwise. `settings` are all that hold for
  /// this prompt; kInvalidArgument if the worker does not take them.
  Status SetPrompt(std::uint64_t revision, std::string_view json,
                   std::string_view settings = kNoSettings);
  /// Hands over a region of `layout`; frames of older generations must have been answered before.
  Status Attach(const protocol::RegionLayout& layout, const protocol::SharedMemory& region);
  Status Submit(FrameSequence sequence, std::uint32_t input_slot, std::uint32_t output_slot);
  /// Mono; see AudioRequests::Make. Only for a prompt whose audio_ms is not 0, which any length
  /// suits.
  Status SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                     std::span<const std::int16_t> samples);
  Status Stop();

  /// Next event; nullopt: none now. kClosed: the worker is gone. kProtocol: it lied (unknown or
  /// repeated sequence, wrong slot, size out of range, ...); replace it.
  Result<std::optional<Event>> Receive();

  /// How long the heartbeat counter has stood still. Call it regularly (each 100 ms or so).
  std::chrono::nanoseconds HeartbeatAge();

  [[nodiscard]] bool ready() const;
  [[nodiscard]] std::int32_t pid() const;        // 0 before Welcome
  [[nodiscard]] std::uint64_t revision() const;  // of the applied prompt, 0: none
  [[nodiscard]] std::size_t frames_in_flight() const;
  [[nodiscard]] bool Takes(std::string_view settings) const;  // once it is ready

  /// Gives the socket away, so that another process can greet the worker anew. The client is dead
  /// afterwards.
  PacketSocket Release();

 private:
  class Impl;
  explicit WorkerClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::host
