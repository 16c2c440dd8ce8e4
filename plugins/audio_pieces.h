// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/core/clock.h"
#include "plugins/cargo.h"

namespace framelock::plugins {

/// One thing to push on the audio's source pad: an event, or sound.
struct AudioOutput {
  Cargo event = NoCargo();
  std::vector<std::int16_t> samples;  // mono
  std::uint32_t sample_rate = 0;
  std::optional<std::chrono::nanoseconds> pts;
};

/// A stream's audio on its way through the worker: cut into pieces as long as the graph wants them,
/// which leave in their order and under their own times, each as the graph made it. A piece that
/// finds no worker, gets no answer in time, or whose answer says that it failed or that the graph
/// gives no audio, leaves as it came in. A worker that takes longer than the pieces last is given
/// those that still have time. While the graph takes no audio all of it leaves at once.
/// When full the oldest is dropped, and counted. Owned by the engine, under its lock.
///
///   Push --> pending --(long enough)--> kWaiting --Submitted--> kInFlight --Complete--> kDone -->
///   Take
///                                          |  no worker              |  lost, late        ^
///                                          +-------------------------+--------------------+
class AudioPieces {
 public:
  struct Options {
    std::chrono::milliseconds patience{2'000};  // of a piece, for its answer
    std::size_t max_samples = 4'000'000;        // that wait, of whatever rate
    std::size_t max_events = 64;
    std::size_t max_in_flight = 2;
  };
  struct Counts {
    std::uint64_t processed = 0;       // pieces that the graph changed or might have
    std::uint64_t passed_through = 0;  // pieces that it should have had, and that left as they came
    std::uint64_t dropped = 0;         // pieces
  };
  struct Piece {
    std::uint64_t sequence = 0;
    std::uint32_t sample_rate = 0;
    std::optional<std::chrono::nanoseconds> pts;
    std::vector<std::int16_t> samples;
  };

  explicit AudioPieces(Options options) : options_(options) {}

  /// How much the graph at work takes at once; 0: none.
  void SetLength(std::chrono::milliseconds length, SteadyTime now);
  [[nodiscard]] std::chrono::milliseconds length() const { return length_; }
  /// Whether a worker runs a graph now. Without one nothing is kept waiting for it.
  void SetReady(bool ready) { ready_ = ready; }
  /// What it was given is not answered any more: it leaves as it is, or goes to the next one.
  void LoseWorker();
  void ChangeWorker();

  void Push(std::span<const std::int16_t> samples, std::uint32_t sample_rate,
            std::optional<std::chrono::nanoseconds> pts, SteadyTime now);
  /// kBetween: behind all that was pushed before, of which the last piece is whole now. kAmong: it
  /// may leave before the piece that it came in.
  enum class Place : std::uint8_t { kBetween, kAmong };
  void PushEvent(Cargo event, Place place, SteadyTime now);
  /// Drops the sound that is in it and gives back the events.
  std::vector<Cargo> Flush();

  /// To be submitted next; null: nothing now.
  const Piece* NextToSubmit(SteadyTime now);
  void Submitted(SteadyTime now);
  /// Empty: as it came in. Of a piece that nobody waits for any more: nothing.
  void Complete(std::uint64_t sequence, std::vector<std::int16_t> samples, SteadyTime now);

  /// What may leave now.
  std::optional<AudioOutput> Take(SteadyTime now);
  /// When Take() may have something without any other call.
  [[nodiscard]] std::optional<SteadyTime> NextDeadline() const;
  /// Cuts what waits for more sound that does not come.
  void CutSilence(SteadyTime now);
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  enum class State : std::uint8_t { kWaiting, kInFlight, kDone };
  struct Item {
    Cargo event = NoCargo();  // or a piece
    Piece piece;
    State state = State::kDone;
    bool owed = false;  // the graph should have it
    SteadyTime since{};
  };

  [[nodiscard]] bool Continues(std::uint32_t sample_rate,
                               std::optional<std::chrono::nanoseconds> pts) const;
  [[nodiscard]] std::size_t Wanted() const;
  [[nodiscard]] bool AnsweredInTime(const Item& item, SteadyTime now) const;
  void ForgetGiven();
  void Cut(std::size_t samples, SteadyTime now);
  [[nodiscard]] bool MayLeave(const Item& item, SteadyTime now) const;
  void MakeRoom();

  const Options options_;
  std::chrono::milliseconds length_{0};
  bool ready_ = false;
  Piece pending_;
  std::chrono::nanoseconds pending_first_{0};  // its pts when it began
  SteadyTime pushed_{};
  std::deque<Item> items_;
  std::size_t samples_ = 0;  // in items_
  struct Given {
    std::uint64_t sequence;
    SteadyTime at;
  };
  std::deque<Given> unanswered_;         // that the worker has, waited for or not
  SteadyTime answered_{};                // the latest of the others
  std::chrono::nanoseconds service_{0};  // what that took; 0: none was answered
  std::uint64_t last_sequence_ = 0;
  Counts counts_;
};

}  // namespace framelock::plugins
