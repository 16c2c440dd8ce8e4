// SPDX-License-Identifier: Apache-2.0
#include "plugins/audio_pieces.h"

#include <algorithm>
#include <utility>

namespace framelock::plugins {

namespace {

using std::chrono::nanoseconds;

// Times that are further off than that begin a new piece; decoders round.
constexpr std::chrono::milliseconds kTolerance{20};

nanoseconds DurationOf(std::size_t samples, std::uint32_t sample_rate) {
  return nanoseconds(static_cast<std::int64_t>(samples) * 1'000'000'000 / sample_rate);
}

}  // namespace

void AudioPieces::SetLength(std::chrono::milliseconds length, SteadyTime now) {
  if (length_ == length) return;
  Cut(pending_.samples.size(), now);
  length_ = length;
  service_ = nanoseconds(0);
}

void AudioPieces::LoseWorker() {
  for (Item& item : items_) {
    if (item.state == State::kInFlight) item.state = State::kDone;
  }
  ForgetGiven();
}

void AudioPieces::ChangeWorker() {
  for (Item& item : items_) {
    if (item.state == State::kInFlight) item.state = State::kWaiting;
  }
  ForgetGiven();
}

void AudioPieces::ForgetGiven() {
  unanswered_.clear();
  service_ = nanoseconds(0);
}

bool AudioPieces::Continues(std::uint32_t sample_rate, std::optional<nanoseconds> pts) const {
  if (sample_rate != pending_.sample_rate || pts.has_value() != pending_.pts.has_value()) {
    return false;
  }
  if (!pts) return true;
  const nanoseconds expected = pending_first_ + DurationOf(pending_.samples.size(), sample_rate);
  return abs(*pts - expected) <= kTolerance;
}

std::size_t AudioPieces::Wanted() const {
  if (length_.count() == 0) return 1;
  return std::max<std::size_t>(
      static_cast<std::size_t>(length_.count()) * pending_.sample_rate / 1000, 1);
}

void AudioPieces::Push(std::span<const std::int16_t> samples, std::uint32_t sample_rate,
                       std::optional<nanoseconds> pts, SteadyTime now) {
  if (samples.empty() || sample_rate == 0) return;
  if (!pending_.samples.empty() && !Continues(sample_rate, pts)) {
    Cut(pending_.samples.size(), now);
  }
  if (pending_.samples.empty()) {
    pending_.pts = pts;
    pending_first_ = pts.value_or(nanoseconds(0));
    pending_.sample_rate = sample_rate;
  }
  pushed_ = now;
  // Small differences must not add up.
  if (pts) pending_.pts = *pts - DurationOf(pending_.samples.size(), sample_rate);
  pending_.samples.insert(pending_.samples.end(), samples.begin(), samples.end());
  while (pending_.samples.size() >= Wanted()) {
    Cut(length_.count() == 0 ? pending_.samples.size() : Wanted(), now);
    if (pending_.samples.empty()) break;
  }
}

// The first so many of the pending samples are a piece.
void AudioPieces::Cut(std::size_t samples, SteadyTime now) {
  if (samples == 0) return;
  Item item;
  item.piece.sequence = ++last_sequence_;
  item.piece.sample_rate = pending_.sample_rate;
  item.piece.pts = pending_.pts;
  if (samples == pending_.samples.size()) {
    item.piece.samples = std::exchange(pending_.samples, {});
  } else {
    const auto end = pending_.samples.begin() + static_cast<std::ptrdiff_t>(samples);
    item.piece.samples.assign(pending_.samples.begin(), end);
    pending_.samples.erase(pending_.samples.begin(), end);
    if (pending_.pts) *pending_.pts += DurationOf(samples, pending_.sample_rate);
    pending_first_ = pending_.pts.value_or(nanoseconds(0));
  }
  item.owed = length_.count() > 0;
  item.state = item.owed ? State::kWaiting : State::kDone;
  item.since = now;
  samples_ += samples;
  items_.push_back(std::move(item));
  MakeRoom();
}

void AudioPieces::MakeRoom() {
  auto at = items_.begin();
  while (samples_ > options_.max_samples && at != items_.end()) {
    if (at->event) {
      ++at;
      continue;
    }
    samples_ -= at->piece.samples.size();
    at = items_.erase(at);
    ++counts_.dropped;
  }
}

void AudioPieces::PushEvent(Cargo event, Place place, SteadyTime now) {
  if (place == Place::kBetween) Cut(pending_.samples.size(), now);
  const auto is_event = [](const Item& item) { return item.event != nullptr; };
  const auto events = std::count_if(items_.begin(), items_.end(), is_event);
  if (static_cast<std::size_t>(events) >= options_.max_events) {
    items_.erase(std::find_if(items_.begin(), items_.end(), is_event));
  }
  Item item;
  item.event = std::move(event);
  items_.push_back(std::move(item));
}

std::vector<Cargo> AudioPieces::Flush() {
  std::vector<Cargo> events;
  for (Item& item : items_) {
    if (item.event) {
      events.push_back(std::move(item.event));
    } else {
      ++counts_.dropped;
    }
  }
  pending_.samples.clear();
  items_.clear();
  samples_ = 0;
  return events;
}

// By what the last one took, and behind those that the worker has.
bool AudioPieces::AnsweredInTime(const Item& item, SteadyTime now) const {
  const auto behind = static_cast<std::int64_t>(unanswered_.size());
  return now - item.since + service_ * (behind + 1) <= options_.patience;
}

// One that would be answered too late is left out, and so is not in the way of those behind it. Of
// a worker that would be too late with every one the newest is tried, for it may have become
// faster.
const AudioPieces::Piece* AudioPieces::NextToSubmit(SteadyTime now) {
  if (!ready_ || length_.count() == 0 || unanswered_.size() >= options_.max_in_flight) {
    return nullptr;
  }
  Item* next = nullptr;
  for (Item& item : items_) {
    if (item.state != State::kWaiting) continue;
    if (next != nullptr) next->state = State::kDone;
    next = &item;
    if (AnsweredInTime(item, now)) return &item.piece;
  }
  const bool hopeless = service_ >= options_.patience - options_.patience / 32;
  return hopeless && unanswered_.empty() && next != nullptr ? &next->piece : nullptr;
}

void AudioPieces::Submitted(SteadyTime now) {
  const auto found = std::find_if(items_.begin(), items_.end(),
                                  [](const Item& item) { return item.state == State::kWaiting; });
  if (found == items_.end()) return;
  found->state = State::kInFlight;
  unanswered_.push_back({found->piece.sequence, now});
}

void AudioPieces::Complete(std::uint64_t sequence, std::vector<std::int16_t> samples,
                           SteadyTime now) {
  const auto given = std::find_if(unanswered_.begin(), unanswered_.end(),
                                  [&](const Given& one) { return one.sequence == sequence; });
  if (given == unanswered_.end()) return;
  service_ = now - std::max(given->at, answered_);
  answered_ = now;
  unanswered_.erase(given);
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return item.state == State::kInFlight && item.piece.sequence == sequence;
  });
  if (found == items_.end()) return;
  found->state = State::kDone;
  if (samples.size() != found->piece.samples.size()) return;
  found->piece.samples = std::move(samples);
  found->owed = false;
  ++counts_.processed;
}

bool AudioPieces::MayLeave(const Item& item, SteadyTime now) const {
  const bool nobody = !ready_ || length_.count() == 0;
  return item.state == State::kDone || (item.state == State::kWaiting && nobody) ||
         now - item.since >= options_.patience;
}

void AudioPieces::CutSilence(SteadyTime now) {
  if (now - pushed_ >= options_.patience) Cut(pending_.samples.size(), now);
}

std::optional<AudioOutput> AudioPieces::Take(SteadyTime now) {
  if (items_.empty() || !MayLeave(items_.front(), now)) return std::nullopt;
  Item first = std::move(items_.front());
  items_.pop_front();
  if (first.owed) ++counts_.passed_through;
  samples_ -= first.piece.samples.size();
  AudioOutput output;
  output.event = std::move(first.event);
  output.pts = first.piece.pts;
  output.sample_rate = first.piece.sample_rate;
  output.samples = std::move(first.piece.samples);
  return output;
}

std::optional<SteadyTime> AudioPieces::NextDeadline() const {
  std::optional<SteadyTime> deadline;
  if (!pending_.samples.empty()) deadline = pushed_ + options_.patience;
  if (items_.empty()) return deadline;
  const Item& first = items_.front();
  const SteadyTime leaves =
      MayLeave(first, first.since) ? SteadyTime{} : first.since + options_.patience;
  return std::min(leaves, deadline.value_or(leaves));
}

}  // namespace framelock::plugins
