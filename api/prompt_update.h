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

inline void SetSize(InputSize size, stream::StreamConfig& config) {
  config.width = size.width;
  config.height = size.height;
}

/// What a stream is to go on with, all of it from the same frame on.
struct PromptUpdate {
  std::string text;                  // the prompt, JSON
  std::optional<int> width, height;  // unset: as before
};

/// The same of a stream with a worker for each prompt. No aggregate on purpose: see
/// net::HttpResponse.
struct PromptSetUpdate {
  explicit PromptSetUpdate(std::vector<std::string> prompts) : texts(std::move(prompts)) {}

  std::vector<std::string> texts;    // the first is put to work
  std::optional<int> width, height;  // unset: as before
};

}  // namespace framelock::api
