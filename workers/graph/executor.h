// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workers/graph/fault_hooks.h"
#include "workers/graph/node.h"
#include "workers/graph/plan.h"
#include "workers/graph/tensor.h"
#include "workers/graph/value.h"

namespace framelock::graph {

/// The node that failed and why.
struct NodeFailure {
  std::string node_id;
  std::string class_type;
  std::string text;

  /// "node 3 (ImageBlur): …".
  [[nodiscard]] std::string ToString() const;
};

/// Runs a plan: what does not depend on the stream once, or again when something upstream has
/// changed, what depends on its audio alone on every piece of that, the rest on every frame, what
/// only lazy inputs lead to when it is asked for. Values are dropped after their last reader, so
/// that their buffers serve again within the same run; after the first frames of a size a run
/// allocates nothing. Owned by whoever drives the frames, on one thread; nodes may share their rows
/// with others meanwhile.
class Executor {
 public:
  /// `pool`, `faults` and `threads` outlive the executor; the plan's registry too.
  Executor(Plan plan, TensorPool& pool, FaultHooks& faults,
           RowThreads& threads = RowThreads::Alone());
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Makes and loads the nodes and runs what needs no frame, on silence. Once, before the first
  /// Run().
  std::optional<NodeFailure> Load();

  /// Runs the rest on one frame. After a failure the next frame may succeed.
  std::optional<NodeFailure> Run(Tensor frame, FrameUse use);
  /// Runs on the next piece of audio what depends on that alone. Likewise.
  std::optional<NodeFailure> RunAudio(Audio audio);

  [[nodiscard]] const Plan& plan() const { return plan_; }
  /// What sink i of the plan received in the last run of its kind; invalid if that failed before.
  [[nodiscard]] const Tensor& result(std::size_t sink) const { return results_[sink]; }
  /// The same for sinks that take text or audio; nullopt if there was none.
  [[nodiscard]] const std::optional<std::string>& text(std::size_t sink) const {
    return texts_[sink];
  }
  [[nodiscard]] const std::optional<Audio>& audio(std::size_t sink) const { return audio_[sink]; }
  /// How long the pieces are that its nodes have asked for; 0: none has.
  [[nodiscard]] std::chrono::milliseconds audio_length() const { return audio_length_; }
  /// Whether the values of step i of the plan are there: it ran for this frame, or an earlier run
  /// still holds.
  [[nodiscard]] bool has_run(std::size_t step) const { return is_current_[step]; }

 private:
  class Call;
  std::optional<NodeFailure> LoadStep(std::size_t step);
  template <typename Wanted>
  std::optional<NodeFailure> RunSteps(const Wanted& wanted, FrameUse use);
  std::optional<NodeFailure> RunWithInputs(std::size_t step, FrameUse use);
  std::optional<NodeFailure> RunStep(std::size_t step, FrameUse use);
  bool StillHolds(std::size_t step, FrameUse use);
  [[nodiscard]] bool IsThere(std::size_t step) const;
  std::optional<std::size_t> FindMissing(std::size_t step, FrameUse use);
  void DropValues(StepPhase phase);
  Result<Audio> TakeAudio(std::chrono::milliseconds length);

  Plan plan_;
  TensorPool& pool_;
  FaultHooks& faults_;
  RowThreads& threads_;
  std::vector<std::unique_ptr<Node>> nodes_;  // by step
  std::vector<Value> slots_;
  std::vector<Tensor> results_;                      // by sink
  std::vector<std::optional<std::string>> texts_;    // by sink
  std::vector<std::optional<Audio>> audio_;          // by sink
  std::vector<std::optional<std::size_t>> sink_of_;  // by step
  std::vector<bool> is_loaded_;                      // by step
  std::vector<bool> is_current_;                     // by step
  std::vector<std::uint64_t> ran_at_;                // by step: the run's number, 0 for never
  std::uint64_t runs_ = 0;
  std::vector<std::size_t> asked_for_;  // steps waiting for their inputs
  std::size_t sources_ = 0;             // steps that take the frame
  std::size_t sources_left_ = 0;
  Tensor frame_;
  std::optional<Audio> piece_;  // the newest
  std::chrono::milliseconds audio_length_{0};
};

}  // namespace framelock::graph
