// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_seat.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace framelock::host {

namespace {

// How long the end of a process may lag behind the end of its socket.
constexpr std::chrono::milliseconds kExitLag{50};
constexpr std::chrono::milliseconds kWatchPeriod{100};

}  // namespace

const char* LossReasonText(WorkerSeat::LossReason reason) {
  switch (reason) {
    case WorkerSeat::LossReason::kClosed:
      return "closed";
    case WorkerSeat::LossReason::kHung:
      return "hung";
    case WorkerSeat::LossReason::kProtocol:
      return "protocol";
    case WorkerSeat::LossReason::kFailed:
      return "failed";
    case WorkerSeat::LossReason::kReplaced:
      break;
  }
  return "replaced";
}

WorkerSeat::WorkerSeat(Options options)
    : options_(std::move(options)), policy_(options_.restart), watch_(options_.watch) {
  if (options_.command) start_at_ = options_.clock->Now();
}

WorkerSeat::~WorkerSeat() {
  if (client_) {
    [[maybe_unused]] const Status asked = client_->Stop();
    client_.reset();
  }
  if (process_) process_->Wait(options_.stop_wait);
}

std::vector<int> WorkerSeat::PollFds() const {
  std::vector<int> fds;
  if (client_) fds.push_back(client_->fd());
  if (process_ && process_->stderr_fd() >= 0) fds.push_back(process_->stderr_fd());
  for (const auto& process : ending_) fds.push_back(process->fd());
  return fds;
}

std::int32_t WorkerSeat::pid() const {
  if (process_) return process_->pid();
  return client_ ? client_->pid() : 0;
}

SteadyTime WorkerSeat::NextDeadline() const {
  const SteadyTime now = options_.clock->Now();
  if (!pending_.empty() || lent_) return now;
  const SteadyTime watch = now + kWatchPeriod;
  return start_at_ ? std::clamp(*start_at_, now, watch) : watch;
}

std::optional<WorkerSeat::Event> WorkerSeat::Next() {
  Reap();
  if (process_) process_->DrainStderr(options_.on_stderr_line);
  if (lent_) {
    PacketSocket socket = std::move(*lent_);
    lent_.reset();
    if (client_) Vacate(LossReason::kReplaced, "another worker was lent in its place");
    Greet(std::move(socket), Origin::kLent);
  }
  if (!client_ && start_at_ && options_.clock->Now() >= *start_at_) Start();
  if (pending_.empty() && client_) {
    auto received = client_->Receive();
    if (!received) {
      const bool lied = received.error().code == ErrorCode::kProtocol;
      Vacate(lied ? LossReason::kProtocol : LossReason::kClosed,
             lied ? received.error().message : EndDetail(received.error().message));
    } else if (*received) {
      Observe(**received);
      return std::visit([](auto&& event) { return Event(std::forward<decltype(event)>(event)); },
                        std::move(**received));
    } else {
      Watch();
    }
  }
  if (pending_.empty()) return std::nullopt;
  Event event = std::move(pending_.front());
  pending_.erase(pending_.begin());
  return event;
}

void WorkerSeat::Start() {
  start_at_.reset();
  if (starts_++ > 0) ++restarts_;
  policy_.OnStarted(options_.clock->Now());
  auto spawned = options_.spawn(*options_.command);
  if (!spawned) {
    OnEnded(spawned.error().message);
    return;
  }
  process_ = std::move(spawned->process);
  Greet(std::move(spawned->socket), Origin::kSpawned);
}

void WorkerSeat::Greet(PacketSocket socket, Origin origin) {
  origin_ = origin;
  watch_.Reset();
  auto client = WorkerClient::Greet(std::move(socket), *options_.clock);
  if (!client) {
    Vacate(LossReason::kFailed, client.error().message);
    return;
  }
  client_ = std::move(*client);
  watch_.OnLoadingStarted(options_.clock->Now());
}

void WorkerSeat::Lend(PacketSocket socket) { lent_ = std::move(socket); }

void WorkerSeat::Release() {
  lent_.reset();
  if (client_ && origin_ == Origin::kLent) [[maybe_unused]]
    const PacketSocket ours = client_->Release();
  client_.reset();
  watch_.Reset();
}

void WorkerSeat::Drop(LossReason reason, std::string detail) {
  if (client_) Vacate(reason, std::move(detail));
}

// Whatever the reason, a process of ours that lost its seat is killed: it may hang, or lie.
void WorkerSeat::Vacate(LossReason reason, std::string detail) {
  pending_.emplace_back(Lost{reason, detail, pid()});
  client_.reset();
  watch_.Reset();
  if (process_) {
    process_->Kill();
    ending_.push_back(std::move(process_));
  }
  if (origin_ == Origin::kSpawned) OnEnded(std::move(detail));
}

void WorkerSeat::OnEnded(std::string detail) {
  const SteadyTime now = options_.clock->Now();
  const auto pause = policy_.OnEnded(now);
  if (pause) {
    start_at_ = now + *pause;
  } else {
    pending_.emplace_back(GivenUp{std::move(detail)});
  }
}

std::string WorkerSeat::EndDetail(const std::string& text) {
  if (!process_) return text;
  const auto status = process_->Wait(kExitLag);
  process_->DrainStderr(options_.on_stderr_line);
  std::string detail = status ? "the worker ended with " + status->ToString() : text;
  const auto tail = process_->stderr_tail();
  if (!tail.empty()) detail += "; its last words: " + tail.back();
  return detail;
}

void WorkerSeat::Reap() {
  std::erase_if(ending_, [](const auto& process) { return process->Poll().has_value(); });
}

void WorkerSeat::Observe(const WorkerClient::Event& event) {
  const SteadyTime now = options_.clock->Now();
  if (const auto* completed = std::get_if<WorkerClient::Completed>(&event)) {
    const FrameSequence sequence{completed->sequence};
    const bool failed = completed->outcome == protocol::FrameOutcome::kFailed;
    failed ? watch_.OnFailed(sequence, now) : watch_.OnCompleted(sequence, now);
  } else if (std::holds_alternative<WorkerClient::AudioCompleted>(event)) {
    watch_.OnAudioAnswered(now);
  } else if (std::holds_alternative<WorkerClient::PromptApplied>(event)) {
    watch_.OnPromptApplied(now);
  } else if (std::holds_alternative<WorkerClient::PromptRejected>(event)) {
    watch_.OnPromptRejected(now);
  } else if (std::holds_alternative<WorkerClient::Welcomed>(event) ||
             std::holds_alternative<WorkerClient::Attached>(event)) {
    watch_.OnLoadingEnded(now);
  }
}

void WorkerSeat::Watch() {
  std::optional<std::chrono::nanoseconds> age;
  if (client_->ready()) age = client_->HeartbeatAge();
  const Verdict verdict = watch_.Judge(options_.clock->Now(), age);
  if (verdict != Verdict::kFine) Vacate(LossReason::kHung, watch_.Explain(verdict));
}

Status WorkerSeat::SetPrompt(std::uint64_t revision, std::string_view json,
                             std::string_view settings) {
  if (!seated()) return Error{ErrorCode::kUnavailable, "no worker is ready"};
  Status sent = client_->SetPrompt(revision, json, settings);
  if (sent.ok()) watch_.OnPromptSent(options_.clock->Now());
  return sent;
}

Status WorkerSeat::Attach(const protocol::RegionLayout& layout,
                          const protocol::SharedMemory& region) {
  if (!seated()) return Error{ErrorCode::kUnavailable, "no worker is ready"};
  Status sent = client_->Attach(layout, region);
  if (sent.ok()) watch_.OnLoadingStarted(options_.clock->Now());
  return sent;
}

Status WorkerSeat::Submit(FrameSequence sequence, std::uint32_t input_slot,
                          std::uint32_t output_slot) {
  if (!seated()) return Error{ErrorCode::kUnavailable, "no worker is ready"};
  Status sent = client_->Submit(sequence, input_slot, output_slot);
  if (sent.ok()) watch_.OnSubmitted(sequence, options_.clock->Now());
  return sent;
}

Status WorkerSeat::SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                               std::span<const std::int16_t> samples) {
  if (!seated()) return Error{ErrorCode::kUnavailable, "no worker is ready"};
  Status sent = client_->SubmitAudio(sequence, sample_rate, samples);
  if (sent.ok()) watch_.OnAudioSubmitted(options_.clock->Now());
  return sent;
}

}  // namespace framelock::host
