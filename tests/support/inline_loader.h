// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "workers/main/load_prompt.h"

namespace framelock::worker {

// Loads prompts in the caller's thread: at once, or when told to.
class InlineLoader final : public PromptLoader {
 public:
  enum class When { kAtOnce, kWhenTold };

  explicit InlineLoader(const graph::NodeRegistry& registry, const LoadOptions& options = {})
      : registry_(registry), options_(options) {}

  void Start(Job job) override {
    job_.emplace(std::move(job));
    if (when == When::kAtOnce) Finish();
  }
  std::optional<Loaded> Take() override { return std::exchange(loaded_, std::nullopt); }
  void Discard(std::unique_ptr<graph::Session> session) override {
    if (session) ++discarded;
  }

  void Finish() { loaded_ = LoadPrompt(registry_, options_, *std::exchange(job_, std::nullopt)); }
  const std::optional<Job>& job() const { return job_; }

  LoadOptions& options() { return options_; }

  When when = When::kAtOnce;
  int discarded = 0;

 private:
  const graph::NodeRegistry& registry_;
  LoadOptions options_;
  std::optional<Job> job_;
  std::optional<Loaded> loaded_;
};

}  // namespace framelock::worker
