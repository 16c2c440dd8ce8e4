// SPDX-License-Identifier: Apache-2.0
#include "api/prompt_history.h"

#include <algorithm>

namespace framelock::api {

void PromptHistory::OnAccepted(std::string text, GraphSettings settings, std::uint64_t revision,
                               std::uint64_t completed) {
  const bool on_trial = last_good_ && completed < proven_at_;
  if (!on_trial) last_good_ = std::move(graph_);
  graph_ = {std::move(text), std::move(settings)};
  revision_ = std::max(revision_, revision);
  proven_at_ = completed + kProofFrames;
  deaths_ = 0;
}

bool PromptHistory::OnWorkerDied(std::uint64_t completed) {
  if (!last_good_) return false;
  if (completed >= proven_at_) {
    last_good_.reset();
    return false;
  }
  if (++deaths_ < kDeathsOnTrial) return false;
  graph_ = std::move(*last_good_);
  last_good_.reset();
  ++revision_;
  return true;
}

}  // namespace framelock::api
