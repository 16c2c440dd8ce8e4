// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace framelock::api {

/// Pixels of a graph's input.
struct InputSize {
  int width = 0, height = 0;
  bool operator==(const InputSize&) const = default;
};

/// What a stream is to go on with, all of it from the same frame on.
struct PromptUpdate {
  std::string text;                  // the prompt, JSON
  std::optional<int> width, height;  // unset: as before
};

}  // namespace framelock::api
