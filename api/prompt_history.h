// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "api/prompt_update.h"

namespace framelock::api {

/// The prompt that a stream runs, what it is run with, its revision, and the one to fall back to. A
/// prompt taken over while the stream ran is on trial until kProofFrames frames were completed with
/// it: if its worker dies kDeathsOnTrial times before, it is the prompt that kills, and the last
/// good one returns under a new revision. Pure; the stream's thread.
class PromptHistory {
 public:
  static constexpr std::uint64_t kProofFrames = 60;
  static constexpr unsigned kDeathsOnTrial = 2;

  PromptHistory(std::string first, GraphSettings settings)
      : graph_{std::move(first), std::move(settings)} {}

  [[nodiscard]] const std::string& text() const { return graph_.text; }
  [[nodiscard]] const GraphSettings& settings() const { return graph_.settings; }
  [[nodiscard]] std::uint64_t revision() const { return revision_; }

  /// A worker took `text` over as `revision`; the stream has completed `completed` frames so far.
  void OnAccepted(std::string text, GraphSettings settings, std::uint64_t revision,
                  std::uint64_t completed);
  /// A worker runs the current text under this number.
  void OnPrepared(std::uint64_t revision) { revision_ = revision; }
  /// A worker died with it. True: the prompt before is back, for the next worker.
  bool OnWorkerDied(std::uint64_t completed);

 private:
  struct Graph {
    std::string text;
    GraphSettings settings;
  };
  Graph graph_;
  std::uint64_t revision_ = 1;
  std::optional<Graph> last_good_;  // while the current one is on trial
  std::uint64_t proven_at_ = 0;     // completed frames
  unsigned deaths_ = 0;
};

}  // namespace framelock::api
