// SPDX-License-Identifier: Apache-2.0
#include "api/prompt_workers.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "api/prompt_choice.h"
#include "api/worker_end.h"

namespace framelock::api {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{100};  // between two looks at those that wait
constexpr milliseconds kPoolPoll{10};
// A heart that stands still for so long: the worker hangs.
constexpr milliseconds kHeartbeatStale{2000};

Error Cancelled() { return Error{ErrorCode::kCancelled, "the stream was stopped"}; }

}  // namespace

struct PromptWorkers::Seat {
  explicit Seat(const process::RestartPolicy::Options& restart) : policy(restart) {}

  Prompt prompt;
  std::unique_ptr<StreamWorker> worker;
  bool ready = false;
  bool busy = false;  // a coroutine waits for its worker's answer
  bool out = false;
  process::RestartPolicy policy;
  SteadyTime not_before{};
  std::uint64_t restarts = 0;
  std::string error;
};

PromptWorkers::PromptWorkers(const StreamSurroundings& around, std::string stream_id,
                             std::shared_ptr<net::Signal> changed)
    : around_(around), stream_id_(std::move(stream_id)), changed_(std::move(changed)) {}

std::shared_ptr<PromptWorkers> PromptWorkers::Create(const StreamSurroundings& around,
                                                     std::string stream_id,
                                                     std::shared_ptr<net::Signal> changed) {
  return std::shared_ptr<PromptWorkers>(
      new PromptWorkers(around, std::move(stream_id), std::move(changed)));
}

PromptWorkers::SeatPtr PromptWorkers::SeatOf(const Key& key) const {
  const auto at = std::find_if(seats_.begin(), seats_.end(),
                               [&](const SeatPtr& seat) { return seat->prompt.key == key; });
  return at == seats_.end() ? nullptr : *at;
}

PromptWorkers::SeatPtr PromptWorkers::NewSeat(Key key, const std::string& text) {
  auto seat = std::make_shared<Seat>(around_.limits.restart);
  seat->prompt = {.key = std::move(key), .text = text, .revision = ++last_revision_};
  return seat;
}

void PromptWorkers::PutToWork(const std::string& text, const stream::WorkerSettings& settings,
                              std::uint64_t revision) {
  const Key key{PromptId(text), settings};
  SeatPtr seat = SeatOf(key);
  if (!seat) {
    seat = NewSeat(key, text);
    seats_.push_back(seat);
  }
  seat->prompt.revision = revision;
  last_revision_ = std::max(last_revision_, revision);
  seat->out = true;
  if (std::exchange(at_work_, key) == key) return;
  std::erase_if(seats_, [&](const SeatPtr& other) {
    const bool goes = other != seat && other->prompt.key.id == key.id;
    if (goes) Dismiss(*other);
    return goes;
  });
}

net::Task<Result<PromptVerdict>> PromptWorkers::Add(std::vector<std::string> texts,
                                                    stream::WorkerSettings settings,
                                                    SteadyTime deadline) {
  const PromptVerdict nothing_to_do{.applied = true, .revision = 0, .errors_json = {}};
  Result<PromptVerdict> verdict = nothing_to_do;
  for (const std::string& text : texts) {
    const Key key{PromptId(text), settings};
    if (SeatOf(key)) continue;
    SeatPtr seat = NewSeat(key, text);
    coming_.push_back(seat);
    verdict = co_await Warm(seat, deadline);
    if (!verdict || !verdict->applied) break;
  }
  const bool all = verdict && verdict->applied && !closing_;
  if (verdict && !all && verdict->applied) verdict = Cancelled();
  auto made = std::exchange(coming_, {});
  for (SeatPtr& seat : made) {
    if (all) {
      seats_.push_back(std::move(seat));
    } else {
      Drop(std::move(seat->worker));
    }
  }
  changed_->NotifyAll();
  co_return verdict;
}

// A worker from the pool, with the prompt.
net::Task<Result<PromptVerdict>> PromptWorkers::Warm(SeatPtr seat, SteadyTime deadline) {
  for (;;) {
    if (closing_) co_return Cancelled();
    auto taken = around_.workers.TryTake(stream_id_, changed_);
    if (taken) {
      seat->worker = std::move(*taken);
      Result<PromptVerdict> prepared = co_await Prepare(seat);
      co_return prepared;
    }
    const bool out_of_order =
        taken.error().code != ErrorCode::kUnavailable || around_.workers.pause();
    if (out_of_order || around_.clock.Now() >= deadline) co_return taken.error();
    co_await changed_->WaitFor(kPoolPoll);
  }
}

net::Task<Result<PromptVerdict>> PromptWorkers::Prepare(SeatPtr seat) {
  seat->busy = true;
  Result<PromptVerdict> verdict =
      co_await seat->worker->Prepare(seat->prompt.text, seat->prompt.key.settings,
                                     seat->prompt.revision, around_.limits.prompt_timeout);
  seat->busy = false;
  if (closing_) co_return Cancelled();
  if (verdict && verdict->applied) {
    seat->prompt.revision = verdict->revision;
    last_revision_ = std::max(last_revision_, verdict->revision);
    seat->ready = true;
    seat->error.clear();
    seat->policy.OnStarted(around_.clock.Now());
    spdlog::info("stream={} prompt={} worker={} is warm", stream_id_, seat->prompt.key.id,
                 seat->worker->pid());
  } else if (!verdict) {
    seat->worker->Kill();
    verdict = Error{verdict.error().code, "worker: " + verdict.error().message};
  }
  changed_->NotifyAll();
  co_return verdict;
}

void PromptWorkers::KeepOnly(const std::vector<Key>& keys) {
  std::erase_if(seats_, [&](const SeatPtr& seat) {
    const bool keep = seat->prompt.key == at_work_ ||
                      std::find(keys.begin(), keys.end(), seat->prompt.key) != keys.end();
    if (!keep) Dismiss(*seat);
    return !keep;
  });
  // In the order of the client's list.
  std::stable_sort(seats_.begin(), seats_.end(), [&](const SeatPtr& a, const SeatPtr& b) {
    return std::find(keys.begin(), keys.end(), a->prompt.key) <
           std::find(keys.begin(), keys.end(), b->prompt.key);
  });
  changed_->NotifyAll();
}

void PromptWorkers::Watch() {
  if (std::exchange(replacing_, true)) return;
  around_.loop.Spawn(Replace(shared_from_this()));
}

net::Task<> PromptWorkers::Replace(std::shared_ptr<PromptWorkers> self) {
  while (!self->closing_) {
    const SeatPtr due = self->NextDue();
    if (due) {
      co_await self->Repair(due);
    } else {
      co_await self->changed_->WaitFor(kLook);
    }
  }
  self->replacing_ = false;
  self->changed_->NotifyAll();
}

// Whoever has no ready worker and may have one now; the dead are noted on the way.
PromptWorkers::SeatPtr PromptWorkers::NextDue() {
  const SteadyTime now = around_.clock.Now();
  for (const SeatPtr& seat : seats_) {
    // A stream that falls back to this prompt waits for the worker that is here.
    if (seat->busy || (seat->out && !seat->worker)) continue;
    if (seat->worker && seat->worker->departure()) {
      NoteLoss(*seat, "its worker died: " + seat->worker->departure()->reason);
    } else if (seat->ready &&
               seat->worker->HeartbeatAge().value_or(milliseconds(0)) > kHeartbeatStale) {
      seat->worker->Kill();
      NoteLoss(*seat, "its worker hung: its heart stood still");
    }
    if (!seat->ready && now >= seat->not_before) return seat;
  }
  return nullptr;
}

void PromptWorkers::NoteLoss(Seat& seat, std::string why) {
  spdlog::warn("stream={} prompt={} {}", stream_id_, seat.prompt.key.id, why);
  seat.error = std::move(why);
  Drop(std::move(seat.worker));
  seat.ready = false;
  ++seat.restarts;
  const SteadyTime now = around_.clock.Now();
  const auto pause = seat.policy.OnEnded(now);
  if (!pause) seat.policy.Reset();
  // Given up for a while only: it may be wanted yet, and costs nobody anything.
  seat.not_before = now + pause.value_or(around_.limits.restart.window);
  changed_->NotifyAll();
}

net::Task<> PromptWorkers::Repair(SeatPtr seat) {
  Result<PromptVerdict> verdict = Cancelled();
  if (seat->worker) {
    verdict = co_await Prepare(seat);
  } else {
    verdict = co_await Warm(seat, around_.clock.Now());
  }
  if (closing_ || (verdict && verdict->applied)) {
    const bool gone = SeatOf(seat->prompt.key) != seat;  // KeepOnly() came in between
    if (gone) Drop(std::move(seat->worker));
    co_return;
  }
  if (!seat->worker) {
    seat->error = verdict.error().message;
    seat->not_before = around_.clock.Now() + kLook;
    co_return;
  }
  seat->worker->Kill();
  const bool gone = SeatOf(seat->prompt.key) != seat;
  if (gone) {
    Drop(std::move(seat->worker));
    co_return;
  }
  NoteLoss(*seat, verdict ? "a new worker refused it" : verdict.error().message);
}

const PromptWorkers::Prompt* PromptWorkers::Find(const std::string& id) const {
  if (id == at_work_.id) return Find(at_work_);
  const auto at = std::find_if(seats_.begin(), seats_.end(),
                               [&](const SeatPtr& seat) { return seat->prompt.key.id == id; });
  return at == seats_.end() ? nullptr : &(*at)->prompt;
}

const PromptWorkers::Prompt* PromptWorkers::Find(const Key& key) const {
  const SeatPtr seat = SeatOf(key);
  return seat ? &seat->prompt : nullptr;
}

std::vector<PromptWorkers::Key> PromptWorkers::Keys() const {
  std::vector<Key> keys;
  for (const SeatPtr& seat : seats_) keys.push_back(seat->prompt.key);
  return keys;
}

bool PromptWorkers::Ready(const Key& key) const {
  const SeatPtr seat = SeatOf(key);
  return seat && seat->ready && !seat->worker->departure();
}

bool PromptWorkers::Holds(const Key& key) const {
  const SeatPtr seat = SeatOf(key);
  return seat && seat->worker && !seat->worker->departure();
}

std::string PromptWorkers::Reason(const Key& key) const {
  const SeatPtr seat = SeatOf(key);
  if (!seat) return "it is not known";
  return seat->error.empty() ? "its worker is not ready yet" : seat->error;
}

std::unique_ptr<StreamWorker> PromptWorkers::Take(const Key& key) {
  if (!Ready(key)) return nullptr;
  const SeatPtr seat = SeatOf(key);
  seat->ready = false;
  seat->out = true;
  return std::move(seat->worker);
}

void PromptWorkers::Return(const Key& key, std::unique_ptr<StreamWorker> worker) {
  const SeatPtr seat = SeatOf(key);
  if (!seat || closing_ || seat->worker) {
    Drop(std::move(worker));
    return;
  }
  seat->out = false;
  if (worker) {
    seat->worker = std::move(worker);
  } else {
    NoteLoss(*seat, "its worker died at work");
  }
  changed_->NotifyAll();
}

std::vector<PromptWorkers::View> PromptWorkers::Views() const {
  std::vector<View> views;
  for (const SeatPtr& seat : seats_) {
    View view{.id = seat->prompt.key.id,
              .state = "starting",
              .pid = seat->worker ? seat->worker->pid() : 0,
              .restarts = seat->restarts,
              .error = seat->error};
    if (seat->prompt.key == at_work_) {
      view.state = "at_work";
    } else if (seat->ready) {
      view.state = "ready";
    } else if (!seat->error.empty() && !seat->worker) {
      view.state = "failed";
    }
    views.push_back(std::move(view));
  }
  return views;
}

void PromptWorkers::Dismiss(Seat& seat) {
  if (seat.busy) {
    seat.worker->Kill();  // whoever waits for its answer drops it
  } else {
    Drop(std::move(seat.worker));
  }
}

void PromptWorkers::Drop(std::unique_ptr<StreamWorker> worker) {
  if (!worker || worker->departure()) return;
  ++ending_;
  around_.loop.Spawn(EndLater(shared_from_this(), std::move(worker)));
}

net::Task<> PromptWorkers::EndLater(std::shared_ptr<PromptWorkers> self,
                                    std::unique_ptr<StreamWorker> worker) {
  co_await EndWorker(*worker, *self->changed_, self->around_.clock, self->around_.limits.ladder);
  worker.reset();
  --self->ending_;
  self->changed_->NotifyAll();
}

void PromptWorkers::RequestStop() {
  closing_ = true;
  for (const auto* seats : {&seats_, &coming_}) {
    for (const SeatPtr& seat : *seats) {
      if (seat->busy) seat->worker->Kill();
    }
  }
  changed_->NotifyAll();
}

net::Task<> PromptWorkers::Close() {
  RequestStop();
  const auto busy = [this] {
    return replacing_ || !coming_.empty() ||
           std::any_of(seats_.begin(), seats_.end(), [](const auto& seat) { return seat->busy; });
  };
  while (busy()) co_await changed_->Wait();
  auto seats = std::exchange(seats_, {});
  for (SeatPtr& seat : seats) Drop(std::move(seat->worker));
  while (ending_ > 0) co_await changed_->Wait();
}

}  // namespace framelock::api
