// SPDX-License-Identifier: Apache-2.0
#include "plugins/frame_line.h"

#include <algorithm>
#include <utility>

namespace framelock::plugins {

FrameLine::FrameLine(const Options& options)
    : options_(options),
      pace_({.cadence =
                 options.full_policy == FullPolicy::kBlock ? Cadence::kAsReady : options.cadence,
             .release = options.release,
             .max_in_flight = options.max_in_flight,
             .latency = options.latency,
             .stall_timeout = options.stall_timeout,
             .max_places = options.max_places}),
      stall_(options.stall_timeout) {}

FrameSequence FrameLine::Enter(LineFrame frame, SteadyTime now) {
  frame.arrived = now;
  const bool stalled = worker_ == Worker::kAbsent || stall_.Stalled(now);
  const bool chosen = pace_.Enter(frame, stalled ? Pace::Flow::kStalled : Pace::Flow::kServed);
  if (chosen && waiting_) Skip(*waiting_, now);
  Entry entry;
  entry.frame = std::move(frame);
  const FrameSequence sequence = ledger_.Open(std::move(entry));
  if (!chosen) {
    ledger_.Close(sequence, Outcome::kSkipped);
    return sequence;
  }
  ledger_.Find(sequence)->frame.sequence = sequence;
  Item item;
  item.sequence = sequence;
  items_.push_back(std::move(item));
  waiting_ = sequence;
  waiting_since_ = now;
  stall_.Fed(now);
  return sequence;
}

void FrameLine::EnterEvent(Cargo event) {
  Item item;
  item.event = std::move(event);
  items_.push_back(std::move(item));
  ++events_;
}

void FrameLine::SetWorker(Worker worker) {
  if (worker_ == worker) return;
  worker_ = worker;
  if (worker == Worker::kReady) stall_.Reset();
}

LineFrame* FrameLine::NextToSubmit() {
  if (!waiting_ || worker_ != Worker::kReady || in_flight_.size() >= options_.max_in_flight) {
    return nullptr;
  }
  // A frame that fails frees its place with the worker at once, but not its place in the line.
  const bool every = pace_.cadence() == Cadence::kEvery;
  if (Replacements() > (every ? options_.max_places : options_.max_in_flight)) return nullptr;
  return &ledger_.Find(*waiting_)->frame;
}

LineFrame* FrameLine::InFlight(FrameSequence sequence) {
  const auto at = std::find(in_flight_.begin(), in_flight_.end(), sequence);
  return at == in_flight_.end() ? nullptr : &ledger_.Find(sequence)->frame;
}

void FrameLine::Submitted(SteadyTime now) {
  Entry* entry = ledger_.Find(*waiting_);
  entry->state = State::kSubmitted;
  entry->submitted = now;
  in_flight_.push_back(*waiting_);
  waiting_.reset();
}

void FrameLine::SkipWaiting(SteadyTime now) {
  if (waiting_) Skip(*waiting_, now);
}

void FrameLine::FailWaiting() {
  if (!waiting_) return;
  CloseInPlace(*std::exchange(waiting_, {}), Outcome::kFailed, Publish::kFallback);
}

// Takes an answer off the frames in flight; null: nobody asked for it.
FrameLine::Entry* FrameLine::Answered(FrameSequence sequence, SteadyTime now) {
  const auto at = std::find(in_flight_.begin(), in_flight_.end(), sequence);
  if (at == in_flight_.end()) return nullptr;
  in_flight_.erase(at);
  Entry* entry = ledger_.Find(sequence);
  stall_.Answered(entry->submitted, now);
  // What waited for a graph to load tells nothing of the pace.
  if (stall_.Begun(entry->submitted) == entry->submitted) {
    pace_.Answered(entry->frame, entry->submitted, now);
  }
  return entry;
}

void FrameLine::ChangeGraph(SteadyTime now) {
  stall_.ChangeGraph(now);
  pace_.ChangeGraph();
}

FrameLine::Answer FrameLine::Complete(FrameSequence sequence, const FrameResult& result,
                                      SteadyTime now) {
  Entry* entry = Answered(sequence, now);
  if (entry == nullptr) return Answer::kUnknown;
  if (entry->state == State::kAbandoned || entry->state == State::kOverdue) {
    const bool useful = entry->state == State::kOverdue && result.revision >= floor_;
    auto closed = ledger_.Close(sequence, Outcome::kSkipped);
    if (useful && options_.on_missing == OnMissing::kRepeat) {
      last_.CameLate(std::move(closed->frame), result);
    }
    ++counters_.late;
    return Answer::kLate;
  }
  if (result.revision < floor_) {
    CloseInPlace(sequence, Outcome::kSkipped, Publish::kFallback);
    ++counters_.late;
    return Answer::kLate;
  }
  entry->state = State::kAnswered;
  entry->result = result;
  return Answer::kInTime;
}

FrameLine::Answer FrameLine::Fail(FrameSequence sequence, SteadyTime now) {
  const Entry* entry = Answered(sequence, now);
  if (entry == nullptr) return Answer::kUnknown;
  if (entry->state != State::kSubmitted) {
    ledger_.Close(sequence, Outcome::kFailed);
    return Answer::kLate;
  }
  CloseInPlace(sequence, Outcome::kFailed, Publish::kFallback);
  return Answer::kInTime;
}

void FrameLine::Discard(FrameSequence sequence, SteadyTime now) {
  if (Answered(sequence, now) == nullptr) return;
  ++counters_.late;
  CloseInPlace(sequence, Outcome::kSkipped,
               pace_.cadence() == Cadence::kEvery ? Publish::kFallback : Publish::kNothing);
}

void FrameLine::LoseWorker() {
  for (const FrameSequence sequence : std::exchange(in_flight_, {})) {
    CloseInPlace(sequence, Outcome::kLost, Publish::kFallback);
  }
  SetWorker(Worker::kAbsent);
  floor_ = 0;
  // The next one may be another, and its first frame is slow as that of a graph.
  stall_.ChangeWorker();
  pace_.ChangeGraph();
}

void FrameLine::ChangeWorker() {
  const bool every = pace_.cadence() == Cadence::kEvery;
  for (const FrameSequence sequence : std::exchange(in_flight_, {})) {
    CloseInPlace(sequence, Outcome::kSkipped, every ? Publish::kFallback : Publish::kNothing);
    ++counters_.late;
  }
  stall_.ChangeWorker();
  pace_.ChangeGraph();
}

void FrameLine::RaiseFloor(std::uint64_t revision) {
  floor_ = std::max(floor_, revision);
  DropOlder(floor_);
}

void FrameLine::DropOlder(std::uint64_t revision) {
  last_.DropOlder(revision);
  std::vector<FrameSequence> stale;
  for (const Item& item : items_) {
    if (IsOlder(item, revision)) stale.push_back(item.sequence);
  }
  for (const FrameSequence sequence : stale) {
    CloseInPlace(sequence, Outcome::kSkipped, Publish::kFallback);
    ++counters_.late;
  }
}

bool FrameLine::HoldsOlder(std::uint64_t revision) const {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const Item& item) { return IsOlder(item, revision); });
}

// Whether the item is the result of an older prompt.
bool FrameLine::IsOlder(const Item& item, std::uint64_t revision) const {
  if (item.event != nullptr) return false;
  const Entry* entry = ledger_.Find(item.sequence);
  return entry != nullptr && entry->state == State::kAnswered && entry->result.revision < revision;
}

void FrameLine::Skip(FrameSequence sequence, SteadyTime now) {
  waiting_.reset();
  Publish publish = Publish::kNothing;
  if (pace_.cadence() == Cadence::kEvery) {
    if (Replacements() < options_.max_places) publish = Publish::kFallback;
  } else if (stall_.Stalled(now) && !MayOvertake()) {
    // One replacement at a time: while nobody takes it, no more frames are kept.
    publish = Publish::kUrgentFallback;
  }
  CloseInPlace(sequence, Outcome::kSkipped, publish);
}

// Closes a frame; what is published instead takes its place in the line, if it still has one.
void FrameLine::CloseInPlace(FrameSequence sequence, Outcome outcome, Publish publish) {
  auto entry = ledger_.Close(sequence, outcome);
  const auto at = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return item.event == nullptr && item.sequence == sequence;
  });
  if (!entry || at == items_.end() || at->fallback) return;
  if (publish == Publish::kNothing || options_.on_missing == OnMissing::kGap) {
    items_.erase(at);
    return;
  }
  at->publish = publish;
  at->fallback = std::move(entry->frame);
  at->fallback->copied.reset();
  at->fallback->output.reset();
  at->fallback->texts.clear();
}

bool FrameLine::MayOvertake() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Item& item) { return item.publish == Publish::kUrgentFallback; });
}

std::size_t FrameLine::Replacements() const {
  return static_cast<std::size_t>(std::count_if(
      items_.begin(), items_.end(), [](const Item& item) { return item.fallback.has_value(); }));
}

// Whether nothing more is waited for but the time to leave.
bool FrameLine::Finished(const Item& item) const {
  if (item.event != nullptr) return false;
  if (item.fallback) return true;
  return ledger_.Find(item.sequence)->state == State::kAnswered;
}

SteadyTime FrameLine::Leaves(const Item& item) const {
  if (item.publish == Publish::kUrgentFallback) return SteadyTime{};
  return pace_.Due(item.fallback ? *item.fallback : ledger_.Find(item.sequence)->frame);
}

// Whether the first frame makes way before its time.
bool FrameLine::Crowded() const {
  if (pace_.cadence() == Cadence::kEvery) return frames() > options_.max_places;
  return std::count_if(items_.begin(), items_.end(),
                       [this](const Item& item) { return Finished(item); }) > 1;
}

// Waits no longer for the first frame, if it is time; false: it is not.
bool FrameLine::GiveUp(SteadyTime now) {
  Item& front = items_.front();
  Entry* entry = ledger_.Find(front.sequence);
  const auto deadline = NextDeadline();
  const bool crowded =
      pace_.cadence() == Cadence::kEvery && options_.on_missing != OnMissing::kGap && Crowded();
  const bool over = crowded || (deadline && now >= *deadline);
  if (entry->state == State::kWaiting) {
    if (!over) return false;
    waiting_.reset();
    CloseInPlace(front.sequence, Outcome::kSkipped, Publish::kFallback);
  } else if (MayOvertake()) {
    entry->state = State::kAbandoned;
    items_.pop_front();
  } else {
    if (!over) return false;
    // The worker reads the source still, so that both have it.
    entry->state = State::kOverdue;
    LineFrame& stand_in = front.fallback.emplace();
    stand_in.sequence = front.sequence;
    stand_in.source = entry->frame.source;
    stand_in.format = entry->frame.format;
    stand_in.packed = entry->frame.packed;
    stand_in.arrived = entry->frame.arrived;
    stand_in.expected = entry->frame.expected;
  }
  return true;
}

std::optional<LineOutput> FrameLine::Take(SteadyTime now) {
  while (!items_.empty()) {
    Item& front = items_.front();
    if (front.event != nullptr) {
      LineOutput output;
      output.event = std::move(front.event);
      items_.pop_front();
      --events_;
      return output;
    }
    if (!Finished(front)) {
      if (!GiveUp(now)) return std::nullopt;
      continue;
    }
    if (now < Leaves(front) && !Crowded()) return std::nullopt;
    if (!front.fallback) return TakeResult(front.sequence, now);
    Item item = std::move(front);
    items_.pop_front();
    return TakeFallback(std::move(item), now);
  }
  return std::nullopt;
}

LineOutput FrameLine::TakeResult(FrameSequence sequence, SteadyTime now) {
  auto entry = ledger_.Close(sequence, Outcome::kCompleted);
  items_.pop_front();
  LineOutput output;
  output.kind = LineOutput::Kind::kResult;
  output.result = entry->result;
  output.frame = std::move(entry->frame);
  output.latency = now - output.frame.arrived;
  last_.Published(output.frame, output.result);
  ++counters_.pushed;
  return output;
}

LineOutput FrameLine::TakeFallback(Item item, SteadyTime now) {
  LineOutput output;
  output.frame = std::move(*item.fallback);
  output.latency = now - output.frame.arrived;
  last_.StandIn(options_.on_missing, output);
  const bool repeats = output.kind == LineOutput::Kind::kRepeat;
  ++(repeats ? counters_.repeated : counters_.passed_through);
  ++counters_.pushed;
  return output;
}

std::optional<SteadyTime> FrameLine::NextDeadline() const {
  if (items_.empty() || items_.front().event != nullptr) return std::nullopt;
  const Item& front = items_.front();
  if (Finished(front)) return Leaves(front);
  std::optional<SteadyTime> deadline;
  // What nothing may stand in for is waited for.
  if (options_.on_missing != OnMissing::kGap) {
    deadline = pace_.Patience(ledger_.Find(front.sequence)->frame);
  }
  const bool waits = waiting_ == front.sequence && options_.full_policy == FullPolicy::kDropOldest;
  if (!waits) return deadline;
  const SteadyTime longest = waiting_since_ + options_.max_wait;
  return std::min(longest, deadline.value_or(longest));
}

std::vector<Cargo> FrameLine::Flush() {
  for (const FrameSequence sequence : in_flight_) ledger_.Find(sequence)->state = State::kAbandoned;
  std::vector<Cargo> events;
  for (Item& item : std::exchange(items_, {})) {
    if (item.event != nullptr) {
      events.push_back(std::move(item.event));
      continue;
    }
    const Entry* entry = ledger_.Find(item.sequence);
    if (entry != nullptr && entry->state != State::kAbandoned) {
      ledger_.Close(item.sequence, Outcome::kSkipped);
    }
  }
  waiting_.reset();
  events_ = 0;
  stall_.Reset();
  last_.Drop();
  pace_.Restart();
  return events;
}

void FrameLine::CloseAll() {
  Flush();
  for (const FrameSequence sequence : std::exchange(in_flight_, {})) {
    ledger_.Close(sequence, Outcome::kSkipped);
  }
}

}  // namespace framelock::plugins
