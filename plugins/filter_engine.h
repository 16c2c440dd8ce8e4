// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/event_fd.h"
#include "plugins/filter_meters.h"
#include "plugins/filter_options.h"
#include "plugins/filter_stats.h"
#include "plugins/filter_work.h"
#include "plugins/frame_line.h"
#include "plugins/line_revisions.h"
#include "plugins/prompt_answer.h"
#include "plugins/prompt_exchange.h"
#include "plugins/standby_worker.h"
#include "workers/host/worker_seat.h"

namespace framelock::plugins {

/// Everything of a workerfilter that is not GStreamer: the line of frames, the worker's seat, the
/// shared region and the prompt, behind one lock. Owned by the element for one run (READY to
/// PAUSED and back). Threads: upstream's calls Enter and the flushes, the source pad's task calls
/// Next, Pushed and Wait, any may call SetPrompt, Lend, Stats; Stop() ends all waiting for good.
class FilterEngine {
 public:
  using Options = FilterOptions;
  enum class Flow : std::uint8_t { kOk, kFlushing, kEnded };  // kEnded: see EndFlow

  static Result<std::unique_ptr<FilterEngine>> Create(Options options);
  ~FilterEngine();

  // Upstream's streaming thread.
  /// Frames from now on have this format (its id is set here). Waits for the frame that waits.
  Status SetFormat(InputFormat format);
  /// `packed`: the frame's first byte if its rows lie as a slot's do, else null.
  Flow Enter(Cargo source, std::optional<std::chrono::nanoseconds> pts, const std::byte* packed);
  Flow EnterEvent(Cargo event);
  /// Calls `enter`, which does not wait, under the lock; the audio's own thread.
  Flow EnterAudio(const std::function<void(AudioPieces& audio, SteadyTime now)>& enter);
  /// Where upstream's buffers should lie; null before the first format.
  [[nodiscard]] std::shared_ptr<host::FrameRegion> region() const;
  [[nodiscard]] std::shared_ptr<const InputFormat> format() const;
  /// Nothing leaves from here to FlushStop(), which gives back the events that were in the line.
  void FlushStart();
  std::vector<Cargo> FlushStop();

  // The source pad's task.
  std::optional<FilterWork> Next();
  /// The LineOutput of the last Next() went downstream; its pixels were copied so often for it.
  void Pushed(std::size_t copies);
  /// Downstream refuses everything: what is in the line and what comes is skipped until a flush.
  void EndFlow();
  /// Upstream cannot give frames of the size that a Resize asked for.
  void SizeRefused();
  void Wait();  /// Sleeps until Next() may have something.

  // Any thread.
  /// Blocks. Once it says kApplied, downstream has taken the last frame of an older prompt. With a
  /// size, frames have it from the new prompt's first one on: those that come in another size
  /// meanwhile are skipped (kBlock: they go through the new prompt).
  PromptAnswer SetPrompt(PromptOffer offer);
  void Lend(PacketSocket socket);
  /// Only with lent workers: lets one get ready behind the one at work, which is given back without
  /// a word, and take over between two frames. Blocks, answers and takes a size as SetPrompt.
  PromptAnswer Switch(PacketSocket socket, std::optional<FrameSize> size = std::nullopt);
  [[nodiscard]] FilterStats Stats() const;
  [[nodiscard]] std::string prompt() const;
  [[nodiscard]] bool prompt_changed() const;  // since the start
  void Stop();
  /// What the run came to, once both pads are quiet: frames still in the line are skipped.
  FilterStats Close();

 private:
  using Lock = std::unique_lock<std::mutex>;
  FilterEngine(Options options, std::shared_ptr<EventFd> wake);
  void Handle(host::WorkerSeat::Event event);
  template <typename Event>
  void OnWorker(Event& event);  // one for each
  void TakeAudioLength(std::uint32_t audio_ms);
  void SubmitAudio();
  void MoveOn();
  void SendPrompt();
  void AttachRegion();
  void SubmitWaiting();
  enum class Placing : std::uint8_t { kPlaced, kNoSlot, kUnreadable };
  Placing TakeSlots(LineFrame& frame);
  Placing PlaceInSlot(LineFrame& frame, const std::shared_ptr<host::FrameRegion>& region);
  void FailUnreadable(FrameSequence sequence);
  void AskForSize(FrameSize size, std::uint64_t revision);
  void GiveUpSize();
  [[nodiscard]] bool Holding() const { return format_ && !wish_.Fits(*format_); }
  void FitOutput(std::uint32_t width, std::uint32_t height);
  Result<std::shared_ptr<host::FrameRegion>> MakeRegion(std::uint64_t output_slot_bytes);
  Status NewRegion();
  void MoveStandby();
  void TakeOver();
  void ForgetWorker();
  void DropSoundTexts();
  void NoteNewRegion();
  void UpdateReadiness();
  void Fail(std::string message);
  void Complain(SteadyTime now);
  [[nodiscard]] SteadyTime Now() const { return options_.worker.clock->Now(); }
  [[nodiscard]] Flow flow() const;
  PromptAnswer AwaitOlder(Lock& lock, std::uint64_t revision, SteadyTime deadline);
  [[nodiscard]] bool PushingOlder();

  const Options options_;
  // Both shared with the regions, whose slots may be freed after we are gone.
  const std::shared_ptr<EventFd> wake_;
  const std::shared_ptr<std::atomic<bool>> slot_wanted_{std::make_shared<std::atomic<bool>>()};
  std::mutex prompt_calls_;  // one SetPrompt at a time
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  FrameLine line_;
  std::unique_ptr<host::WorkerSeat> seat_;
  std::unique_ptr<StandbyWorker> standby_;
  PromptExchange prompt_;
  AudioPieces audio_;
  std::deque<FilterWork> notices_;
  std::deque<std::string> sound_texts_;
  std::shared_ptr<const InputFormat> format_;
  std::shared_ptr<host::FrameRegion> region_;     // for the newest format
  std::shared_ptr<host::FrameRegion> attaching_;  // sent, not answered
  std::shared_ptr<host::FrameRegion> attached_;   // the worker's
  bool region_used_ = false;                      // region_ was shown to a worker
  bool audio_told_ = false;                       // how much the worker takes
  SizeWish wish_;
  std::uint64_t generation_ = 0, output_slot_bytes_ = 0;
  bool flushing_ = false, ended_ = false, stopped_ = false, failed_ = false, pushing_ = false;
  std::optional<std::uint64_t> pushing_revision_;  // of the result that is being pushed
  std::uint64_t pushes_ = 0;
  LineRevisions revisions_;
  std::uint64_t losses_ = 0, applied_losses_ = 0;  // the second: when the last prompt was applied
  std::atomic<std::uint64_t> copied_in_ = 0;       // upstream copies outside the lock
  FilterStats stats_;                              // the part that is counted here
  FilterMeters meters_;
};

}  // namespace framelock::plugins
