// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "pipeline/core/frame_sequence.h"

namespace framelock {

/// What became of an input frame. Every frame gets exactly one.
enum class Outcome : std::uint8_t {
  kCompleted,  // its own result was handed downstream under its own pts
  kSkipped,    // not submitted, or its result came too late to be published in order
  kFailed,     // the graph reported an error for it
  kLost,       // the worker died or hung with it
};

/// The counters of one stream. inputs == completed + skipped + failed + lost + open, always.
struct Account {
  std::uint64_t inputs = 0;
  std::uint64_t completed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t failed = 0;
  std::uint64_t lost = 0;
  std::uint64_t open = 0;  // opened and not closed yet
};

/// Gives each input frame a sequence number, keeps what must not enter the worker (Payload: pts,
/// duration, metas), and closes each frame with exactly one outcome. The peer's numbers are looked
/// up here, never trusted. Bounded: the owner limits how many entries it opens (in flight plus
/// waiting). Not thread-safe; the owner locks.
template <typename Payload>
class FrameLedger {
 public:
  FrameSequence Open(Payload payload) {
    const FrameSequence sequence{++last_};
    open_.emplace(sequence, std::move(payload));
    ++account_.inputs;
    return sequence;
  }

  /// The open entry, or nullptr if the number is unknown or already closed.
  Payload* Find(FrameSequence sequence) {
    const auto it = open_.find(sequence);
    return it == open_.end() ? nullptr : &it->second;
  }

  const Payload* Find(FrameSequence sequence) const {
    const auto it = open_.find(sequence);
    return it == open_.end() ? nullptr : &it->second;
  }

  /// Closes an open entry and gives its payload back; nullopt if unknown or already closed, which
  /// changes no counter.
  std::optional<Payload> Close(FrameSequence sequence, Outcome outcome) {
    const auto it = open_.find(sequence);
    if (it == open_.end()) return std::nullopt;
    std::optional<Payload> payload(std::move(it->second));
    open_.erase(it);
    ++Counter(outcome);
    return payload;
  }

  [[nodiscard]] Account account() const {
    Account account = account_;
    account.open = open_.size();
    return account;
  }

 private:
  std::uint64_t& Counter(Outcome outcome) {
    switch (outcome) {
      case Outcome::kCompleted:
        return account_.completed;
      case Outcome::kSkipped:
        return account_.skipped;
      case Outcome::kFailed:
        return account_.failed;
      case Outcome::kLost:
        break;
    }
    return account_.lost;
  }

  std::map<FrameSequence, Payload> open_;
  Account account_;
  std::uint64_t last_ = 0;
};

}  // namespace framelock
