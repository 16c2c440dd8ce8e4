// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/stream_surroundings.h"
#include "api/stream_worker.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "pipeline/process/restart_policy.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// The prompts of one stream, and a warm worker for each: process ready, prompt applied. One
/// prompt's worker is out, at work in the stream; the others wait here, and one that dies or hangs
/// meanwhile is replaced in the background. Owned by the stream and by its own coroutine, which
/// ends with Close(); loop thread only.
///
///   (none) --Add--> starting --> ready --Take--> out --Return--> starting (greeted again) -->
///   ready
///                      ^           | died, hung                  dead: replaced, by the policy
///                      +-----------+
class PromptWorkers : public std::enable_shared_from_this<PromptWorkers> {
 public:
  /// The same prompt with other settings of its worker is another one. While an update is under way
  /// two prompts may have the same id.
  struct Key {
    std::string id;
    stream::WorkerSettings settings;
    bool operator==(const Key&) const = default;
  };
  struct Prompt {
    Key key;
    std::string text;
    std::uint64_t revision = 0;  // no two prompts of the stream have the same
  };
  /// For people and clients.
  struct View {
    std::string id;
    const char* state;  // at_work, ready, starting, failed
    pid_t pid = 0;      // 0: none, or out
    std::uint64_t restarts = 0;
    std::string error;  // why it is not ready
  };

  /// `around` and `changed` outlive it; `changed` is notified at every change.
  static std::shared_ptr<PromptWorkers> Create(const StreamSurroundings& around,
                                               std::string stream_id,
                                               std::shared_ptr<net::Signal> changed);

  /// Takes the stream's own prompt in, whose worker is out and at work from now on; it may be known
  /// already. Another prompt of the same id goes.
  void PutToWork(const std::string& text, const stream::WorkerSettings& settings,
                 std::uint64_t revision);
  /// Workers for those prompts that have none with these settings. All of them, or nothing has
  /// changed: kUnavailable, kTimeout: there is no worker; not applied: a worker refuses its prompt.
  net::Task<Result<PromptVerdict>> Add(std::vector<std::string> texts,
                                       stream::WorkerSettings settings, SteadyTime deadline);
  /// All other prompts go, and their workers; not the one at work.
  void KeepOnly(const std::vector<Key>& keys);
  /// From now on what dies here is replaced. Once.
  void Watch();

  /// null: unknown. Of several with this id, the one at work.
  [[nodiscard]] const Prompt* Find(const std::string& id) const;
  [[nodiscard]] const Prompt* Find(const Key& key) const;
  [[nodiscard]] std::vector<Key> Keys() const;
  [[nodiscard]] const std::string& at_work() const { return at_work_.id; }
  [[nodiscard]] const Key& at_work_key() const { return at_work_; }
  [[nodiscard]] bool Ready(const Key& key) const;
  /// It has a worker, ready or soon.
  [[nodiscard]] bool Holds(const Key& key) const;
  /// Why it is not ready.
  [[nodiscard]] std::string Reason(const Key& key) const;
  /// The prompt's worker, if it is ready.
  std::unique_ptr<StreamWorker> Take(const Key& key);
  /// Back from the stream, which no longer uses it; null or dead: replaced.
  void Return(const Key& key, std::unique_ptr<StreamWorker> worker);
  [[nodiscard]] std::vector<View> Views() const;

  /// Lets nothing that waits for a worker's answer wait any longer.
  void RequestStop();
  /// Ends every worker that is not out; returns when all are gone.
  net::Task<> Close();

 private:
  struct Seat;
  using SeatPtr = std::shared_ptr<Seat>;

  PromptWorkers(const StreamSurroundings& around, std::string stream_id,
                std::shared_ptr<net::Signal> changed);
  static net::Task<> Replace(std::shared_ptr<PromptWorkers> self);
  static net::Task<> EndLater(std::shared_ptr<PromptWorkers> self,
                              std::unique_ptr<StreamWorker> worker);
  net::Task<Result<PromptVerdict>> Warm(SeatPtr seat, SteadyTime deadline);
  net::Task<Result<PromptVerdict>> Prepare(SeatPtr seat);
  net::Task<> Repair(SeatPtr seat);
  SeatPtr NextDue();
  void NoteLoss(Seat& seat, std::string why);
  void Drop(std::unique_ptr<StreamWorker> worker);
  void Dismiss(Seat& seat);
  [[nodiscard]] SeatPtr SeatOf(const Key& key) const;
  SeatPtr NewSeat(Key key, const std::string& text);

  const StreamSurroundings& around_;
  const std::string stream_id_;
  const std::shared_ptr<net::Signal> changed_;
  std::vector<SeatPtr> seats_;
  std::vector<SeatPtr> coming_;  // being made by Add()
  Key at_work_;
  std::uint64_t last_revision_ = 0;
  std::size_t ending_ = 0;
  bool replacing_ = false;  // its coroutine runs
  bool closing_ = false;
};

}  // namespace framelock::api
