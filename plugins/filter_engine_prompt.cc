// SPDX-License-Identifier: Apache-2.0
// FilterEngine's changes of what frames are made by: another prompt, or another worker.
#include <algorithm>
#include <utility>

#include "plugins/filter_engine.h"

namespace framelock::plugins {

using Kind = PromptAnswer::Kind;

PromptAnswer FilterEngine::SetPrompt(PromptOffer offer) {
  const std::lock_guard one_at_a_time(prompt_calls_);
  std::unique_lock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + options_.prompt_timeout;
  prompt_.Offer(std::move(offer));
  wake_->Notify();
  changed_.wait_until(lock, deadline,
                      [this] { return stopped_ || failed_ || prompt_.answer().has_value(); });
  const auto answer = prompt_.answer();
  prompt_.Withdraw();
  if (!answer) {
    return stopped_ || failed_ ? PromptAnswer{Kind::kStopped, prompt_.revision(), kStoppedErrors}
                               : PromptAnswer{Kind::kTimeout, prompt_.revision(), kTimeoutErrors};
  }
  if (answer->kind == PromptExchange::Answer::Kind::kRejected) {
    return {Kind::kRejected, answer->revision, answer->errors};
  }
  return AwaitOlder(lock, answer->revision, deadline);
}

PromptAnswer FilterEngine::Switch(PacketSocket socket, std::optional<FrameSize> size) {
  const std::lock_guard one_at_a_time(prompt_calls_);
  std::unique_lock lock(mutex_);
  if (options_.worker.command) {
    return {Kind::kRejected, prompt_.revision(), "workers are not lent here"};
  }
  const auto deadline = std::chrono::steady_clock::now() + options_.prompt_timeout;
  standby_ = std::make_unique<StandbyWorker>(options_.worker, std::move(socket), size);
  wake_->Notify();
  changed_.wait_until(lock, deadline,
                      [this] { return stopped_ || failed_ || !standby_ || standby_->failure(); });
  if (const auto waiting = std::exchange(standby_, nullptr)) {
    if (waiting->failure()) return {Kind::kRejected, prompt_.revision(), *waiting->failure()};
    return stopped_ || failed_ ? PromptAnswer{Kind::kStopped, prompt_.revision(), kStoppedErrors}
                               : PromptAnswer{Kind::kTimeout, prompt_.revision(), kTimeoutErrors};
  }
  return AwaitOlder(lock, prompt_.revision(), deadline);
}

// Until nothing that was made before `revision` was in force can still come out.
PromptAnswer FilterEngine::AwaitOlder(Lock& lock, std::uint64_t revision, SteadyTime deadline) {
  const std::uint64_t worker = applied_losses_;
  const std::uint64_t floor = revisions_.Number(revision);
  // What is finished leaves in its own time.
  changed_.wait_for(lock, options_.publish_wait,
                    [&] { return stopped_ || losses_ != worker || !line_.HoldsOlder(floor); });
  // Another lent worker counts its revisions on its own.
  losses_ == worker ? line_.RaiseFloor(floor) : line_.DropOlder(floor);
  // What downstream is just taking has left the line, and would come out after our answer.
  const std::uint64_t under_way = pushes_;
  const bool taken = changed_.wait_until(lock, deadline, [&] {
    return stopped_ || !pushing_ || pushes_ != under_way || !PushingOlder();
  });
  if (!taken) return {Kind::kUntaken, revision, kUntakenErrors};
  return {Kind::kApplied, revision, {}};
}

// Whether the result that is being pushed was made before what is in force now.
bool FilterEngine::PushingOlder() {
  return pushing_revision_ &&
         (losses_ != applied_losses_ || *pushing_revision_ < revisions_.Number(prompt_.revision()));
}

// The one at work gets no more frames once the other is ready, and has a while for those it has.
void FilterEngine::MoveStandby() {
  if (!standby_) return;
  standby_->MoveOn(format_, [this](std::uint64_t bytes) { return MakeRegion(bytes); });
  if (standby_->failure()) return changed_.notify_all();
  if (!standby_->Ready(format_)) return standby_->StopDraining();
  standby_->Drain(Now() + options_.switch_wait);
  if (line_.in_flight() == 0 || Now() >= standby_->NextDeadline()) TakeOver();
}

void FilterEngine::TakeOver() {
  StandbyWorker::Taken taken = standby_->Take();
  standby_.reset();
  audio_.ChangeWorker();
  ForgetWorker();
  line_.ChangeWorker();
  wish_.TakeAnyRevision();
  applied_losses_ = losses_;
  seat_->Release();
  seat_ = std::move(taken.seat);
  revisions_.ChangeWorker();
  prompt_.OnWelcomed(taken.revision);
  output_slot_bytes_ = taken.output_slot_bytes;
  if (taken.region) {
    TakeAudioLength(taken.audio_ms);
    region_ = attached_ = std::move(taken.region);
    region_used_ = true;
    notices_.emplace_back(Renegotiate{});
  }
  // Of any revision: this worker's prompt does not change with it.
  if (taken.size) AskForSize(*taken.size, 0);
  UpdateReadiness();
  notices_.emplace_back(WorkerSwitched{seat_->pid()});
  changed_.notify_all();
}

}  // namespace framelock::plugins
