// SPDX-License-Identifier: Apache-2.0
#include "plugins/frame_line.h"

#include <algorithm>
#include <utility>

namespace framelock::plugins {

FrameSequence FrameLine::Enter(LineFrame frame, SteadyTime now) {
  if (waiting_) Skip(*waiting_, now);
  frame.arrived = now;
  Entry entry;
  entry.frame = std::move(frame);
  const FrameSequence sequence = ledger_.Open(std::move(entry));
  ledger_.Find(sequence)->frame.sequence = sequence;
  Item item;
  item.sequence = sequence;
  items_.push_back(std::move(item));
  waiting_ = sequence;
  waiting_since_ = now;
  if (!hungry_since_) hungry_since_ = now;
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
  if (worker == Worker::kReady) hungry_since_.reset();  // a new worker has the stall time
}

LineFrame* FrameLine::NextToSubmit() {
  if (!waiting_ || worker_ != Worker::kReady || in_flight_.size() >= options_.max_in_flight) {
    return nullptr;
  }
  // A frame that fails frees its place with the worker at once, but not its place in the line.
  const auto closed = std::count_if(items_.begin(), items_.end(),
                                    [](const Item& item) { return item.fallback.has_value(); });
  if (static_cast<std::size_t>(closed) > options_.max_in_flight) return nullptr;
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
  hungry_since_.reset();
  Entry* entry = ledger_.Find(sequence);
  // What was submitted while the graph was loaded waited for it first.
  service_.Add(now - std::max(entry->submitted, graph_since_));
  stall_ = std::max(options_.stall_timeout, 2 * service_.Percentile(50));
  return entry;
}

void FrameLine::ChangeGraph(SteadyTime now) {
  graph_since_ = now;
  service_.Clear();
  stall_ = options_.stall_timeout;
}

FrameLine::Answer FrameLine::Complete(FrameSequence sequence, const FrameResult& result,
                                      SteadyTime now) {
  Entry* entry = Answered(sequence, now);
  if (entry == nullptr) return Answer::kUnknown;
  if (entry->state == State::kAbandoned) {
    ledger_.Close(sequence, Outcome::kSkipped);
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
  if (entry->state == State::kAbandoned) {
    ledger_.Close(sequence, Outcome::kFailed);
    return Answer::kLate;
  }
  CloseInPlace(sequence, Outcome::kFailed, Publish::kFallback);
  return Answer::kInTime;
}

void FrameLine::LoseWorker() {
  for (const FrameSequence sequence : std::exchange(in_flight_, {})) {
    CloseInPlace(sequence, Outcome::kLost, Publish::kFallback);
  }
  SetWorker(Worker::kAbsent);
  floor_ = 0;
}

void FrameLine::RaiseFloor(std::uint64_t revision) {
  floor_ = std::max(floor_, revision);
  DropOlder(floor_);
}

void FrameLine::DropOlder(std::uint64_t revision) {
  if (good_ && good_->revision < revision) good_.reset();
  std::vector<FrameSequence> stale;
  for (const Item& item : items_) {
    const Entry* entry = ledger_.Find(item.sequence);
    if (entry != nullptr && entry->state == State::kAnswered && entry->result.revision < revision) {
      stale.push_back(item.sequence);
    }
  }
  for (const FrameSequence sequence : stale) {
    CloseInPlace(sequence, Outcome::kSkipped, Publish::kFallback);
    ++counters_.late;
  }
}

bool FrameLine::Starved(SteadyTime now) const {
  return hungry_since_ && now - *hungry_since_ >= stall_;
}

void FrameLine::Skip(FrameSequence sequence, SteadyTime now) {
  waiting_.reset();
  // One replacement at a time: while nobody takes it, no more frames are kept.
  const bool urgent = Starved(now) && !MayOvertake();
  CloseInPlace(sequence, Outcome::kSkipped, urgent ? Publish::kUrgentFallback : Publish::kNothing);
}

// Closes a frame; what is published instead takes its place in the line, if it still has one.
void FrameLine::CloseInPlace(FrameSequence sequence, Outcome outcome, Publish publish) {
  auto entry = ledger_.Close(sequence, outcome);
  const auto at = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return item.event == nullptr && item.sequence == sequence;
  });
  if (!entry || at == items_.end()) return;
  if (publish == Publish::kNothing || options_.on_missing == OnMissing::kGap) {
    items_.erase(at);
    return;
  }
  at->publish = publish;
  at->fallback = std::move(entry->frame);
  at->fallback->copied.reset();
  at->fallback->output.reset();
}

bool FrameLine::MayOvertake() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Item& item) { return item.publish == Publish::kUrgentFallback; });
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
    if (front.fallback) {
      Item item = std::move(front);
      items_.pop_front();
      if (auto output = TakeFallback(std::move(item), now)) return output;
      continue;
    }
    const FrameSequence sequence = front.sequence;
    Entry* entry = ledger_.Find(sequence);
    if (entry->state == State::kAnswered) return TakeResult(sequence, now);
    const auto deadline = NextDeadline();
    if (entry->state == State::kWaiting && deadline && now >= *deadline) {
      waiting_.reset();
      CloseInPlace(sequence, Outcome::kSkipped, Publish::kFallback);
    } else if (entry->state == State::kSubmitted && MayOvertake()) {
      entry->state = State::kAbandoned;
      items_.pop_front();
    } else {
      return std::nullopt;
    }
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
  const std::uint64_t format = output.frame.format ? output.frame.format->id : 0;
  good_ = last_size_ = Good{entry->result.revision, format, entry->result};
  ++counters_.pushed;
  return output;
}

std::optional<LineOutput> FrameLine::TakeFallback(Item item, SteadyTime now) {
  LineOutput output;
  output.frame = std::move(*item.fallback);
  output.latency = now - output.frame.arrived;
  const InputFormat* format = output.frame.format.get();
  const std::uint64_t id = format != nullptr ? format->id : 0;
  // A picture of another format is no replacement, and a stream whose results have another size
  // than its input would change caps twice for each missing frame.
  const bool same_size =
      format == nullptr || !last_size_ || last_size_->format != id ||
      (last_size_->result.width == format->width && last_size_->result.height == format->height);
  const bool may_repeat = good_ && good_->format == id;
  if (may_repeat && (options_.on_missing == OnMissing::kRepeat || !same_size)) {
    output.kind = LineOutput::Kind::kRepeat;
    output.result = good_->result;
    ++counters_.repeated;
  } else {
    output.kind = LineOutput::Kind::kPassthrough;
    ++counters_.passed_through;
  }
  ++counters_.pushed;
  return output;
}

std::optional<SteadyTime> FrameLine::NextDeadline() const {
  if (!waiting_ || options_.full_policy == FullPolicy::kBlock) return std::nullopt;
  if (items_.front().event != nullptr || items_.front().sequence != *waiting_) return std::nullopt;
  return waiting_since_ + options_.max_wait;
}

std::vector<Cargo> FrameLine::Flush() {
  std::vector<Cargo> events;
  for (Item& item : std::exchange(items_, {})) {
    if (item.event != nullptr) {
      events.push_back(std::move(item.event));
      continue;
    }
    Entry* entry = ledger_.Find(item.sequence);
    if (entry == nullptr) continue;
    if (entry->state == State::kSubmitted) {
      entry->state = State::kAbandoned;
    } else {
      ledger_.Close(item.sequence, Outcome::kSkipped);
    }
  }
  waiting_.reset();
  events_ = 0;
  hungry_since_.reset();
  good_.reset();
  return events;
}

void FrameLine::CloseAll() {
  Flush();
  for (const FrameSequence sequence : std::exchange(in_flight_, {})) {
    ledger_.Close(sequence, Outcome::kSkipped);
  }
}

}  // namespace framelock::plugins
