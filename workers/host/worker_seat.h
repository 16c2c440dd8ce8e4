// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/process/restart_policy.h"
#include "workers/host/progress_watch.h"
#include "workers/host/worker_client.h"
#include "workers/host/worker_process.h"

namespace framelock::host {

/// One stream's place for a worker: whoever sits there is watched, and replaced when it dies, hangs
/// or lies. Either it spawns its workers itself (command given; restarts by the policy, then gives
/// up), or they are lent to it one after the other. Owns client and process. It has no thread: the
/// owner polls PollFds(), then calls Next() until it says nullopt, at least every 100 ms. No call
/// blocks, but the destructor waits up to stop_wait for the process to leave by itself.
///
///   empty --spawned or lent--> greeting --Welcomed--> seated --(closed, hung, lied, Drop)--> empty
class WorkerSeat {
 public:
  enum class LossReason : std::uint8_t {
    kClosed,    // it ended, or closed its socket
    kHung,      // no heartbeat, or no progress
    kProtocol,  // it broke the protocol
    kFailed,    // it refused what every stream needs (greeting, prompt, region)
    kReplaced,  // another one was lent in its place
  };
  struct Lost {
    LossReason reason;
    std::string detail;
    std::int32_t pid;
  };
  /// No further worker will be spawned.
  struct GivenUp {
    std::string detail;
  };
  using Event =
      std::variant<WorkerClient::Welcomed, WorkerClient::PromptApplied,
                   WorkerClient::PromptRejected, WorkerClient::Attached, WorkerClient::Completed,
                   WorkerClient::FrameText, WorkerClient::AudioCompleted, Lost, GivenUp>;
  using Spawner = std::function<Result<SpawnedWorker>(const WorkerCommand&)>;

  struct Options {
    std::optional<WorkerCommand> command;  // unset: workers are only lent
    process::RestartPolicy::Options restart;
    ProgressWatch::Options watch;
    std::chrono::milliseconds stop_wait{300};
    Spawner spawn = SpawnWorker;
    std::function<void(const std::string&)> on_stderr_line;
    const Clock* clock = &Clock::System();  // borrowed
  };

  explicit WorkerSeat(Options options);
  ~WorkerSeat();
  WorkerSeat(const WorkerSeat&) = delete;
  WorkerSeat& operator=(const WorkerSeat&) = delete;

  [[nodiscard]] std::vector<int> PollFds() const;
  /// Spawns, greets, receives, watches, reaps; what came of it, one event at a time.
  std::optional<Event> Next();
  /// When Next() should be called even if nothing is readable.
  [[nodiscard]] SteadyTime NextDeadline() const;

  /// Seats a lent worker at once; the one before it is lost (kReplaced).
  void Lend(PacketSocket socket);
  /// Gives a lent worker up without a word: it stays its lender's.
  void Release();
  /// The owner's own verdict on the worker; Lost comes out of Next().
  void Drop(LossReason reason, std::string detail);

  // To the worker; kUnavailable while none is seated.
  Status SetPrompt(std::uint64_t revision, std::string_view json,
                   std::string_view settings = kNoSettings);
  Status Attach(const protocol::RegionLayout& layout, const protocol::SharedMemory& region);
  Status Submit(FrameSequence sequence, std::uint32_t input_slot, std::uint32_t output_slot);
  Status SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                     std::span<const std::int16_t> samples);

  [[nodiscard]] bool occupied() const { return client_ != nullptr; }
  [[nodiscard]] bool seated() const { return client_ != nullptr && client_->ready(); }
  [[nodiscard]] bool Takes(std::string_view settings) const {
    return seated() && client_->Takes(settings);
  }
  [[nodiscard]] std::int32_t pid() const;  // 0: none is known
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  enum class Origin : std::uint8_t { kSpawned, kLent };

  void Start();
  void Greet(PacketSocket socket, Origin origin);
  void OnEnded(std::string detail);
  void Vacate(LossReason reason, std::string detail);
  [[nodiscard]] std::string EndDetail(const std::string& text);
  void Reap();
  void Observe(const WorkerClient::Event& event);
  void Watch();

  const Options options_;
  process::RestartPolicy policy_;
  ProgressWatch watch_;
  std::unique_ptr<WorkerClient> client_;
  Origin origin_ = Origin::kLent;  // of client_
  std::unique_ptr<process::ChildProcess> process_;
  std::vector<std::unique_ptr<process::ChildProcess>> ending_;  // killed, not reaped yet
  std::optional<PacketSocket> lent_;
  std::optional<SteadyTime> start_at_;
  std::vector<Event> pending_;
  std::uint64_t restarts_ = 0;
  std::uint64_t starts_ = 0;
};

/// "closed", "hung", "protocol", "failed", "replaced".
const char* LossReasonText(WorkerSeat::LossReason reason);

}  // namespace framelock::host
