// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/audio_line.h"

#include <iterator>
#include <utility>

namespace framelock::stream {

using std::chrono::nanoseconds;

void AudioLine::Open(CapsPtr format) {
  const std::lock_guard lock(mutex_);
  announced_ = std::move(format);
}

void AudioLine::Push(Unit unit) {
  const std::lock_guard lock(mutex_);
  bytes_ += unit.bytes + kUnitCost;
  while (!units_.empty() && units_.back().at > unit.at) Drop(std::prev(units_.end()));
  units_.push_back(std::move(unit));
  const auto full = [&] {
    return ended_ || bytes_ > options_.max_bytes ||
           units_.back().at - units_.front().at > options_.max_wait + late_;
  };
  while (!units_.empty() && full()) Drop(units_.begin());
}

void AudioLine::AllowLate(nanoseconds late) {
  const std::lock_guard lock(mutex_);
  late_ = late;
}

void AudioLine::Close() {
  const std::lock_guard lock(mutex_);
  announced_.reset();
}

void AudioLine::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  while (!units_.empty()) Drop(units_.begin());
}

std::vector<AudioLine::Unit> AudioLine::TakeUntil(nanoseconds picture) {
  const std::lock_guard lock(mutex_);
  // A reader begins with a picture; sound from before it would have no place.
  if (!std::exchange(begun_, true)) {
    while (!units_.empty() && units_.front().at < picture) Drop(units_.begin());
  }
  DropStrangers(picture);
  std::vector<Unit> due;
  while (!units_.empty() && units_.front().at <= picture) {
    bytes_ -= units_.front().bytes + kUnitCost;
    due.push_back(std::move(units_.front()));
    units_.pop_front();
  }
  counts_.passed += due.size();
  return due;
}

// A unit of another timeline would hold up all behind it.
void AudioLine::DropStrangers(nanoseconds picture) {
  std::erase_if(units_, [&](const Unit& unit) {
    const bool strange = abs(unit.at - picture) > options_.max_wait + late_;
    if (strange) {
      bytes_ -= unit.bytes + kUnitCost;
      ++counts_.dropped;
    }
    return strange;
  });
}

void AudioLine::Drop(std::deque<Unit>::iterator unit) {
  bytes_ -= unit->bytes + kUnitCost;
  units_.erase(unit);
  ++counts_.dropped;
}

CapsPtr AudioLine::Format() const {
  const std::lock_guard lock(mutex_);
  GstCaps* caps =
      units_.empty() ? announced_.get() : gst_sample_get_caps(units_.front().sample.get());
  return CapsPtr(caps == nullptr ? nullptr : gst_caps_ref(caps));
}

AudioLine::Counts AudioLine::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace framelock::stream
