// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/stream/control.h"
#include "pipeline/stream/data_channel.h"
#include "pipeline/stream/outbox.h"
#include "pipeline/stream/peer_watch.h"
#include "pipeline/stream/prompt_line.h"
#include "pipeline/stream/stream_pipeline.h"

namespace framelock::stream {

/// framelock-stream without its command line: one pipeline, the control line, and the loop between
/// them on the calling thread. SIGTERM and SIGINT must be blocked before it is created; they end
/// the stream as "stop" does.
class StreamProcess {
 public:
  struct Options {
    StreamPipeline::Options stream;
    std::optional<PacketSocket> control;  // none: speaks on standard output
    std::chrono::milliseconds status_interval{250};
    std::chrono::milliseconds stop_timeout{2000};  // for the output to finish
  };

  static Result<std::unique_ptr<StreamProcess>> Create(Options options);
  ~StreamProcess();
  StreamProcess(const StreamProcess&) = delete;
  StreamProcess& operator=(const StreamProcess&) = delete;

  /// Runs to the end; the exit code of control.h.
  int Run();

 private:
  enum class Finish : std::uint8_t { kEndOfStream, kStopped, kError };

  StreamProcess(std::chrono::milliseconds status_interval, std::chrono::milliseconds stop_timeout,
                std::optional<ControlChannel> control, UniqueFd signals, std::size_t max_texts);

  void WaitForNews();
  void HandleBus();
  void HandleSignals();
  void HandlePrompts();
  void HandleControl();
  void HandleTexts(SteadyTime now);
  void HandleMessage(ControlChannel::Message message);
  void OnEvent(const StreamPipeline::WorkerReady& ready);
  void OnEvent(const StreamPipeline::WorkerSwitched& switched);
  void OnEvent(const StreamPipeline::WorkerLost& lost);
  void OnEvent(const StreamPipeline::Ended& ended);
  void OnEvent(const StreamPipeline::Failed& failed);
  void TakePrompt(const ControlChannel::Message& message);
  void TakeSwitch(ControlChannel::Message message);
  void KnowWorker(int pid, std::int64_t lease);
  void AnswerPrompt(std::int64_t request, const StreamPipeline::PromptAnswer& answer);
  void AnswerSwitch(std::int64_t lease, const StreamPipeline::PromptAnswer& answer);
  void RequestStop();
  [[nodiscard]] StreamStatus Look(SteadyTime now) const;
  void ReportStatus(SteadyTime now);
  void Check(const Status& said);
  int End();

  const std::chrono::milliseconds status_interval_, stop_timeout_;
  const std::optional<ControlChannel> control_;
  const UniqueFd signals_;
  Outbox outbox_;
  std::unique_ptr<StreamPipeline> pipeline_;
  std::unique_ptr<DataChannel> data_;  // null: nobody wants the texts but framelockd
  std::unique_ptr<PromptLine> prompts_;
  std::unique_ptr<PeerWatch> watch_;

  std::int64_t lease_ = 0;              // of the worker lent last
  std::deque<std::int64_t> switches_;   // leases of those that are to take over, in order
  std::map<int, std::int64_t> leases_;  // by the pid that a worker named
  std::optional<SteadyTime> stop_deadline_;
  std::optional<Finish> finish_;
  SteadyTime next_status_{}, next_trace_{};
  std::optional<StreamState> reported_;
};

}  // namespace framelock::stream
