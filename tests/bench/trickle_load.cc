// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/trickle_load.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>

#include "tests/bench/load_publisher.h"
#include "tests/bench/load_subscriber.h"

namespace framelock::bench {
namespace {

// How long the last bytes are waited for. A server that holds five segments for a reader may use
// all this time; one that is further behind has lost.
constexpr auto kGrace = std::chrono::seconds(5);
// From the subscribers' first requests to the first byte.
constexpr auto kSettle = std::chrono::milliseconds(200);
// A generator that writes this much later than it should measures itself.
constexpr auto kLate = std::chrono::milliseconds(33);

class Run {
 public:
  static Result<LoadFigures> Go(const LoadOptions& options) {
    auto loop = LoadLoop::Create();
    if (!loop) return loop.error();
    Run run(std::move(*loop), options);
    if (auto ready = run.Prepare(); !ready) return ready.error();
    run.Publish();
    if (auto done = run.Finish(); !done) return done.error();
    return std::move(run.figures_);
  }

 private:
  Run(std::unique_ptr<LoadLoop> loop, const LoadOptions& options)
      : loop_(std::move(loop)), options_(options) {
    static int runs = 0;
    const std::string name =
        "bench-" + std::to_string(::getpid()) + "-" + std::to_string(++runs) + "-";
    for (std::uint32_t i = 0; i < options_.channels; ++i) {
      const std::string channel = name + std::to_string(i);
      publishers_.emplace_back(*loop_, options_, i, channel);
      for (std::size_t s = 0; s < options_.subscribers; ++s) {
        subscribers_.emplace_back(*loop_, options_, figures_, i, channel);
      }
    }
  }

  // Serves until `condition`; kTimeout after `timeout`.
  Status Until(const char* what, std::chrono::nanoseconds timeout,
               const std::function<bool()>& condition) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now >= deadline) return Error{ErrorCode::kTimeout, std::string(what) + " took too long"};
      loop_->RunOnce(std::min(deadline, now + std::chrono::milliseconds(5)));
    }
    return {};
  }

  Status Settle(const char* what) {
    const auto settled = [this] {
      return std::all_of(
          publishers_.begin(), publishers_.end(),
          [](const LoadPublisher& publisher) { return publisher.settled() || publisher.failed(); });
    };
    if (auto done = Until(what, kGrace, settled); !done) return done;
    for (const LoadPublisher& publisher : publishers_) {
      if (publisher.failed()) {
        return Error{ErrorCode::kUnavailable, std::string(what) + ": the server hung up"};
      }
    }
    return {};
  }

  Status Prepare() {
    for (LoadPublisher& publisher : publishers_) publisher.CreateChannel();
    if (auto created = Settle("creating the channels"); !created) return created;
    for (LoadSubscriber& subscriber : subscribers_) subscriber.Start();
    begin_ = std::chrono::steady_clock::now() + kSettle;
    for (std::size_t i = 0; i < publishers_.size(); ++i) {
      // Spread over a beat, as streams are.
      publishers_[i].Start(begin_ + options_.chunk_interval * i / publishers_.size());
    }
    return {};
  }

  void Publish() {
    std::optional<SteadyTime> next = begin_;
    while (next) {
      loop_->RunOnce(*next);
      NoteBeginning();
      if (std::chrono::steady_clock::now() > *next + kLate) figures_.kept_up = false;
      next.reset();
      for (LoadPublisher& publisher : publishers_) {
        const auto due = publisher.Tick();
        if (due && (!next || *due < *next)) next = due;
      }
    }
  }

  // What a client needs to begin does not count: the first two segments open its connections.
  void NoteBeginning() {
    const auto two = options_.chunk_interval * options_.chunks_per_segment * 2;
    if (!beginning_ && std::chrono::steady_clock::now() > begin_ + two) {
      beginning_ = Beginning{std::chrono::steady_clock::now(), loop_->connects()};
    }
  }
  void CountConnects() {
    if (!beginning_) return;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - beginning_->ended;
    figures_.connects_per_minute =
        static_cast<double>(loop_->connects() - beginning_->connects) * 60 / took.count();
  }

  Status Finish() {
    const auto done = [this] {
      return std::all_of(subscribers_.begin(), subscribers_.end(),
                         [](const LoadSubscriber& reader) {
                           return reader.done() || reader.fell_behind() || reader.wrong();
                         });
    };
    figures_.kept_up = Until("reading", kGrace, done).ok() && figures_.kept_up;
    CountConnects();
    for (const LoadSubscriber& reader : subscribers_) {
      if (reader.wrong()) return Error{ErrorCode::kProtocol, *reader.wrong()};
      if (!reader.done()) figures_.kept_up = false;
    }
    if (!figures_.kept_up) return {};
    const std::uint64_t expected = std::uint64_t{subscribers_.size()} * options_.segments *
                                   options_.chunks_per_segment * options_.chunk_bytes;
    if (figures_.bytes != expected) {
      return Error{ErrorCode::kInternal, "read " + std::to_string(figures_.bytes) +
                                             " bytes instead of " + std::to_string(expected)};
    }
    if (auto answered = Settle("the last answers"); !answered) return answered;
    for (LoadPublisher& publisher : publishers_) publisher.DeleteChannel();
    return Settle("deleting the channels");
  }

  const std::unique_ptr<LoadLoop> loop_;
  const LoadOptions& options_;
  LoadFigures figures_;
  std::deque<LoadPublisher> publishers_;
  std::deque<LoadSubscriber> subscribers_;
  SteadyTime begin_;
  struct Beginning {
    SteadyTime ended;
    std::uint64_t connects;
  };
  std::optional<Beginning> beginning_;
};

}  // namespace

Result<LoadFigures> RunTrickleLoad(const LoadOptions& options) { return Run::Go(options); }

}  // namespace framelock::bench
