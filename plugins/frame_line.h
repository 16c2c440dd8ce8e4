// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "pipeline/core/frame_ledger.h"
#include "plugins/last_result.h"
#include "plugins/line_frame.h"
#include "plugins/line_options.h"
#include "plugins/pace.h"
#include "plugins/stall_watch.h"

namespace framelock::plugins {

/// The order of everything between a filter's two pads: frames, and the events among them. It
/// knows which frame goes to the worker next, closes every frame with exactly one outcome, and
/// says what may leave now. One frame waits at most; when another one comes the older is skipped
/// (kDropOldest) or the caller waits for HasRoom() (kBlock: every frame, as ready). Plain logic:
/// the caller brings the time and locks.
///
///            Enter          Submitted           Complete          Take
///   (none) ---------> waiting -------> submitted -------> answered -----> completed
///      | not chosen     |                 | \  Fail: failed; LoseWorker: lost
///      |                | displaced       |  overtaken by a newer frame, out of patience, flushed
///      +--------------> v                 v
///                    skipped          abandoned -------> skipped, late (lost with the worker)
///                                               Complete
///
/// Skipped frames are not published, unless the stream would freeze: when no worker has answered
/// for the stall time although frames come in. Then, and for failed and lost frames, OnMissing says
/// what is published in their place, under their own time. With Cadence::kEvery that holds for
/// every frame. What leaves, leaves when its Pace says so; held is one finished frame at most
/// (kEvery: max_places).
class FrameLine {
 public:
  using Options = LineOptions;
  struct Counters {
    std::uint64_t pushed = 0;  // == completed + passed_through + repeated
    std::uint64_t passed_through = 0;
    std::uint64_t repeated = 0;
    std::uint64_t late = 0;  // answered after their place was gone; they are among the skipped
  };
  enum class Worker : std::uint8_t { kAbsent, kReady };
  /// kUnknown: never submitted, or answered before; the worker lied.
  enum class Answer : std::uint8_t { kInTime, kLate, kUnknown };

  explicit FrameLine(const Options& options);

  // The upstream side.
  [[nodiscard]] bool HasRoom() const { return !waiting_; }
  FrameSequence Enter(LineFrame frame, SteadyTime now);
  void EnterEvent(Cargo event);
  [[nodiscard]] std::size_t events() const { return events_; }

  // The worker's side.
  void SetWorker(Worker worker);
  /// The frame to submit next; null: none waits, or enough are in flight or left to be replaced.
  LineFrame* NextToSubmit();
  /// A frame that the worker holds; null: it holds none of that number.
  LineFrame* InFlight(FrameSequence sequence);
  /// The frame of NextToSubmit() went out.
  void Submitted(SteadyTime now);
  void SkipWaiting(SteadyTime now);  // it can never be submitted
  void FailWaiting();                // it cannot be read
  /// The answers to come are another graph's, whose frames may take another time, from now on.
  void ChangeGraph(SteadyTime now);
  Answer Complete(FrameSequence sequence, const FrameResult& result, SteadyTime now);
  Answer Fail(FrameSequence sequence, SteadyTime now);
  /// It was answered, but its result is not wanted any more: it is skipped.
  void Discard(FrameSequence sequence, SteadyTime now);
  /// Everything in flight is lost; the next worker's revisions are its own.
  void LoseWorker();
  /// Another one takes over: what the one before still has is skipped, and not waited for.
  void ChangeWorker();
  /// From now on nothing made by an older revision leaves, not even as a repetition.
  void RaiseFloor(std::uint64_t revision);
  /// The same for what is in the line now, once: the worker of that revision is gone.
  void DropOlder(std::uint64_t revision);
  /// Whether a frame that was made by an older revision is finished and has not left.
  [[nodiscard]] bool HoldsOlder(std::uint64_t revision) const;

  // The downstream side.
  /// The next thing to push, in order; nullopt: none now.
  std::optional<LineOutput> Take(SteadyTime now);
  /// When Take() might have something that it has not now, without any other call.
  [[nodiscard]] std::optional<SteadyTime> NextDeadline() const;
  /// Empties the line and gives back its events; frames in flight stay open until answered.
  std::vector<Cargo> Flush();
  /// Closes all that is left, in flight too: the stream has ended.
  void CloseAll();

  [[nodiscard]] Account account() const { return ledger_.account(); }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_ ? 1 : 0; }
  /// Frames with a place in the line, closed ones too that something is to be published for.
  [[nodiscard]] std::size_t frames() const { return items_.size() - events_; }
  [[nodiscard]] const LatencyWindow& service() const { return stall_.service(); }
  [[nodiscard]] const Pace& pace() const { return pace_; }

 private:
  // kOverdue: something stands in its place, but its result may still be repeated.
  enum class State : std::uint8_t { kWaiting, kSubmitted, kOverdue, kAbandoned, kAnswered };
  enum class Publish : std::uint8_t { kNothing, kFallback, kUrgentFallback };
  struct Entry {
    LineFrame frame;
    State state = State::kWaiting;
    SteadyTime submitted{};
    FrameResult result{};
  };
  struct Item {  // an event, or a frame's place
    FrameSequence sequence;
    Cargo event = NoCargo();
    std::optional<LineFrame> fallback;  // the result is not waited for; OnMissing decides
    Publish publish = Publish::kNothing;
  };

  [[nodiscard]] bool MayOvertake() const;
  [[nodiscard]] std::size_t Replacements() const;
  [[nodiscard]] bool Finished(const Item& item) const;
  [[nodiscard]] bool Crowded() const;
  [[nodiscard]] SteadyTime Leaves(const Item& item) const;
  [[nodiscard]] bool IsOlder(const Item& item, std::uint64_t revision) const;
  bool GiveUp(SteadyTime now);
  void Skip(FrameSequence sequence, SteadyTime now);
  void CloseInPlace(FrameSequence sequence, Outcome outcome, Publish publish);
  Entry* Answered(FrameSequence sequence, SteadyTime now);
  LineOutput TakeResult(FrameSequence sequence, SteadyTime now);
  LineOutput TakeFallback(Item item, SteadyTime now);

  const Options options_;
  FrameLedger<Entry> ledger_;
  std::deque<Item> items_;
  std::optional<FrameSequence> waiting_;
  SteadyTime waiting_since_{};
  std::vector<FrameSequence> in_flight_;  // submitted and abandoned
  std::size_t events_ = 0;
  Counters counters_;
  Worker worker_ = Worker::kAbsent;
  Pace pace_;
  StallWatch stall_;
  LastResult last_;
  std::uint64_t floor_ = 0;
};

}  // namespace framelock::plugins
