// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// Pixels of a graph's input.
struct InputSize {
  int width = 0, height = 0;
  bool operator==(const InputSize&) const = default;
};

inline InputSize SizeOf(const stream::StreamConfig& config) {
  return {config.width, config.height};
}

/// What a graph is run with.
struct GraphSettings {
  InputSize size;
  stream::WorkerSettings worker{};
  bool operator==(const GraphSettings&) const = default;
};

inline GraphSettings SettingsOf(const stream::StreamConfig& config) {
  return {SizeOf(config), config.worker};
}

inline void SetSettings(const GraphSettings& settings, stream::StreamConfig& config) {
  config.width = settings.size.width;
  config.height = settings.size.height;
  config.worker = settings.worker;
}

/// What a stream is to go on with, all of it from the same frame on.
struct PromptUpdate {
  std::string text;                  // the prompt, JSON
  std::optional<int> width, height;  // unset: as before
  stream::WorkerSettings worker;     // the same
};

/// The same of a stream with a worker for each prompt. No aggregate on purpose: see
/// net::HttpResponse.
struct PromptSetUpdate {
  explicit PromptSetUpdate(std::vector<std::string> prompts) : texts(std::move(prompts)) {}

  std::vector<std::string> texts;    // the first is put to work
  std::optional<int> width, height;  // unset: as before
  stream::WorkerSettings worker;     // the same
};

/// What a stream with these settings is to go on with.
template <typename Update>
GraphSettings SettingsAfter(const Update& update, const stream::StreamConfig& now) {
  return {{update.width.value_or(now.width), update.height.value_or(now.height)},
          stream::Merged(update.worker, now.worker)};
}

}  // namespace framelock::api
