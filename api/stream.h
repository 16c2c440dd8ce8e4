// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/media_process.h"
#include "api/prompt_history.h"
#include "api/prompt_update.h"
#include "api/start_request.h"
#include "api/stream_limits.h"
#include "api/stream_state.h"
#include "api/stream_worker.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/frame_ledger.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "pipeline/process/restart_policy.h"

namespace framelock::api {

/// One stream: its worker, its framelock-stream, and the coroutine that keeps both alive
/// (stream_state.h draws the states). Owned by the registry and, while it runs, by that coroutine
/// and by requests that wait for it; hence shared. Loop thread only. All waits are bounded and end
/// early when Stop() is called.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  /// What a stream works with; borrowed, outlives every stream.
  struct Surroundings {
    net::Loop& loop;
    WorkerSource& workers;
    MediaSource& media;
    const Clock& clock;
    StreamLimits limits;
  };

  /// Starts nothing. `prompt` is JSON text.
  static std::shared_ptr<Stream> Create(Surroundings& around, stream::StreamConfig config,
                                        std::string prompt);

  /// Brings worker and media process up; answers when both run (or the prompt was refused), not
  /// when media flows. On failure nothing is left and the state is final. Once.
  net::Task<Result<PromptVerdict>> Start();

  /// Ends the stream; returns once every process of it is reaped. Any number of callers.
  net::Task<> Stop();
  void RequestStop();  /// The same without waiting.

  /// Replaces the prompt, and the size of its frames, between two frames. Waits (bounded) for a
  /// worker that is being replaced and for updates that came before. kUnavailable: too many wait,
  /// or no worker is made now; kTimeout; kCancelled: stopped.
  net::Task<Result<PromptVerdict>> UpdatePrompt(PromptUpdate update);

  /// Puts a fresh worker in the place of the current one, with the same prompt. kUnavailable: none
  /// is made now, the current one goes on.
  net::Task<Status> RestartWorker();

  [[nodiscard]] const stream::StreamConfig& config() const { return config_; }
  [[nodiscard]] StreamState state() const { return state_; }
  [[nodiscard]] SteadyTime created() const { return created_; }
  [[nodiscard]] const PromptHistory& prompt() const { return prompt_; }

  /// Answer bodies: everything that is known, the seven fields of the list, the worker's part.
  [[nodiscard]] nlohmann::json StatusJson() const;
  [[nodiscard]] nlohmann::json SummaryJson() const;
  [[nodiscard]] nlohmann::json WorkerJson() const;

 private:
  Stream(Surroundings& around, stream::StreamConfig config, std::string prompt);

  static net::Task<> Supervise(std::shared_ptr<Stream> self);
  net::Task<Result<PromptVerdict>> BringUp();
  net::Task<Status> TakeWorker();
  net::Task<Result<PromptVerdict>> PrepareWorker();
  net::Task<Status> StartMedia();
  net::Task<> Recover();
  void NoteRunning();
  net::Task<> ReapLost();
  net::Task<bool> PauseBeforeRestart();
  net::Task<> TearDown();
  net::Task<> EndMedia();
  net::Task<> EndWorker();
  net::Task<bool> WorkerGone(std::chrono::nanoseconds timeout);
  net::Task<bool> MediaGone(std::chrono::nanoseconds timeout);
  net::Task<Status> AwaitServing(SteadyTime deadline);
  net::Task<std::optional<Result<PromptVerdict>>> TryUpdate(const std::string& text, InputSize size,
                                                            SteadyTime deadline,
                                                            std::string& last_error);

  [[nodiscard]] bool WorkerRuns() const { return worker_ && !worker_->departure(); }
  [[nodiscard]] bool MediaRuns() const { return media_ && !media_->departure(); }
  [[nodiscard]] bool MediaEnded() const { return media_ && media_->report().ended.has_value(); }
  [[nodiscard]] bool MediaSilent() const;
  [[nodiscard]] bool LeaseLost() const;
  [[nodiscard]] bool MediaNeedsAttention() const;
  [[nodiscard]] bool NeedsAttention() const;
  [[nodiscard]] std::string ShownState() const;
  [[nodiscard]] std::string ShownError() const;
  void EnterState(StreamState state);
  void NoteError(std::string message);
  void NoteEnd();
  void ForgetMedia();
  [[nodiscard]] Account CurrentAccount() const;

  Surroundings& around_;
  stream::StreamConfig config_;
  std::shared_ptr<net::Signal> changed_;  // notified at every change that somebody may wait for
  StreamState state_ = StreamState::kStarting;
  SteadyTime created_;
  std::chrono::system_clock::time_point started_at_;
  std::optional<Result<PromptVerdict>> start_result_;
  bool stop_requested_ = false;
  bool worker_restart_requested_ = false;
  bool failed_ = false;

  PromptHistory prompt_;
  std::uint64_t request_ = 0;
  bool update_running_ = false;
  std::size_t waiting_updates_ = 0;

  std::unique_ptr<StreamWorker> worker_;
  std::unique_ptr<MediaProcess> media_;
  bool prepared_ = false;      // the worker runs the current prompt
  bool lent_ = false;          // the media process has been given the worker
  std::uint64_t lease_ = 0;    // number of the current or last lending on the current media process
  bool fresh_worker_ = false;  // its restart policy does not know yet that it runs
  bool fresh_media_ = false;   // likewise
  bool worker_loss_ = false;   // one ended by itself and its restart policy does not know yet
  bool media_loss_ = false;    // likewise
  std::uint64_t worker_restarts_ = 0;
  std::uint64_t media_restarts_ = 0;
  std::optional<Departure> worker_exit_;
  std::optional<Departure> media_exit_;
  process::RestartPolicy worker_policy_;
  process::RestartPolicy media_policy_;
  Account past_account_;                                   // of media processes that are gone
  nlohmann::json last_status_ = nlohmann::json::object();  // of the last one that is gone
  std::string last_error_;
  SteadyTime last_error_time_{};
};

}  // namespace framelock::api
