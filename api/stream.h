// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/architecture.h"
#include "api/process_past.h"
#include "api/prompt_history.h"
#include "api/prompt_update.h"
#include "api/prompt_workers.h"
#include "api/start_request.h"
#include "api/stream_state.h"
#include "api/stream_surroundings.h"
#include "api/text_feed.h"
#include "pipeline/core/frame_ledger.h"

namespace framelock::api {

/// One stream: its worker, its framelock-stream, and the coroutine that keeps both alive
/// (stream_state.h draws the states). Owned by the registry and, while it runs, by that coroutine
/// and by requests that wait for it; hence shared. Loop thread only. All waits are bounded and end
/// early when Stop() is called.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  using Surroundings = StreamSurroundings;

  /// Starts nothing. `prompt` is JSON text.
  static std::shared_ptr<Stream> Create(Surroundings& around, stream::StreamConfig config,
                                        std::string prompt, StreamPlan plan = StreamPlan());

  /// Brings worker and media process up; answers when both run (or the prompt was refused), not
  /// when media flows. On failure nothing is left and the state is final. Once.
  net::Task<Result<PromptVerdict>> Start();

  /// Ends the stream; returns once every process of it is reaped. Any number of callers.
  net::Task<> Stop();
  void RequestStop();  /// The same without waiting.

  /// Replaces the prompt, and what it is run with, between two frames. Waits (bounded) for a
  /// worker that is being replaced and for updates that came before. kUnavailable: too many wait,
  /// or no worker is made now; kTimeout; kCancelled: stopped.
  net::Task<Result<PromptVerdict>> UpdatePrompt(PromptUpdate update);
  /// Of a stream with a worker for each prompt: a new set, whose first is put to work. Its workers
  /// are warm before anything changes. Otherwise as UpdatePrompt().
  net::Task<Result<PromptVerdict>> UpdatePrompts(PromptSetUpdate update);
  /// Puts another prompt of the set to work, between two frames; no frame of the one before leaves
  /// once this is answered. kNotFound: no such prompt. Otherwise as UpdatePrompt().
  net::Task<Status> SwitchPrompt(std::string id);

  /// Puts a fresh worker in the place of the current one, with the same prompt. kUnavailable: none
  /// is made now, the current one goes on.
  net::Task<Status> RestartWorker();

  [[nodiscard]] const stream::StreamConfig& config() const { return config_; }
  [[nodiscard]] StreamState state() const { return state_; }
  [[nodiscard]] SteadyTime created() const { return created_; }
  [[nodiscard]] const PromptHistory& prompt() const { return prompt_; }
  [[nodiscard]] Architecture architecture() const { return plan_.architecture; }
  /// null unless it has a worker for each prompt.
  [[nodiscard]] const PromptWorkers* prompts() const { return prompts_.get(); }
  /// What its graph says of its frames, and a wait until that or anything else has changed.
  [[nodiscard]] const TextFeed& texts() const { return *texts_; }
  net::Task<> AwaitChange(std::chrono::nanoseconds timeout);

  /// Answer bodies: everything that is known, the seven fields of the list, the worker's part.
  [[nodiscard]] nlohmann::json StatusJson() const;
  [[nodiscard]] nlohmann::json SummaryJson() const;
  [[nodiscard]] nlohmann::json WorkerJson() const;

 private:
  Stream(Surroundings& around, stream::StreamConfig config, std::string prompt, StreamPlan plan);
  static net::Task<> Supervise(std::shared_ptr<Stream> self);
  net::Task<Result<PromptVerdict>> BringUp();
  net::Task<Status> TakeWorker();
  Result<std::unique_ptr<StreamWorker>> TryTakeWorker();
  net::Task<Result<PromptVerdict>> WarmPrompts();
  net::Task<Result<PromptVerdict>> PrepareWorker();
  net::Task<Status> StartMedia();
  net::Task<> Recover();
  void NoteRunning();
  net::Task<> ReapLost();
  net::Task<bool> PauseBeforeRestart();
  net::Task<> TearDown();
  net::Task<> EndMedia();
  net::Task<bool> WorkerGone(std::chrono::nanoseconds timeout);
  net::Task<bool> MediaGone(std::chrono::nanoseconds timeout);
  net::Task<Status> AwaitServing(SteadyTime deadline);
  net::Task<std::optional<Result<PromptVerdict>>> TryUpdate(const std::string& text,
                                                            const GraphSettings& settings,
                                                            SteadyTime deadline,
                                                            std::string& last_error);
  net::Task<Status> BeginUpdate();
  void EndUpdate();
  net::Task<Status> PutToWork(PromptWorkers::Key key, InputSize size, SteadyTime deadline);
  net::Task<Status> ResizeAtWork(InputSize size, SteadyTime deadline);
  net::Task<Status> HandOver(StreamWorker& next, std::uint64_t lease, InputSize size,
                             SteadyTime deadline);
  [[nodiscard]] WorkerSource& Workers() const;
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
  const StreamPlan plan_;
  std::shared_ptr<net::Signal> changed_;   // notified at every change that somebody may wait for
  const std::shared_ptr<TextFeed> texts_;  // shared with the media process at hand
  StreamState state_ = StreamState::kStarting;
  SteadyTime created_;
  std::chrono::system_clock::time_point started_at_;
  std::optional<Result<PromptVerdict>> start_result_;
  bool stop_requested_ = false, worker_restart_requested_ = false, failed_ = false;
  bool update_running_ = false;
  PromptHistory prompt_;
  std::shared_ptr<PromptWorkers> prompts_;
  std::uint64_t request_ = 0;
  std::size_t waiting_updates_ = 0;

  std::unique_ptr<StreamWorker> worker_;
  std::unique_ptr<MediaProcess> media_;
  bool prepared_ = false;   // the worker runs the current prompt
  bool lent_ = false;       // the media process has been given the worker
  bool switching_ = false;  // another worker is about to take over
  // Of the worker at hand, and the highest that the current media process was told.
  std::uint64_t lease_ = 0, last_lease_ = 0;
  ProcessPast worker_past_, media_past_;
  Account past_account_;                                   // of media processes that are gone
  nlohmann::json last_status_ = nlohmann::json::object();  // of the last one that is gone
  std::string last_error_;
  SteadyTime last_error_time_{};
};

}  // namespace framelock::api
