// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workers/graph/json.h"
#include "workers/graph/node_registry.h"
#include "workers/graph/prompt.h"

namespace framelock::graph {

/// ComfyUI's judgement of a prompt, in its words.
struct Verdict {
  bool valid = false;                     // at least one output can be made
  Json error;                             // {type,message,details,extra_info}; null when valid
  std::vector<std::string> good_outputs;  // node ids, in prompt order
  Json node_errors = Json::object();      // {id: {errors, dependent_outputs, class_type}}
  // Nodes of a dependency cycle, if one was met. ComfyUI does not say it, so it is not in `error`.
  std::vector<std::string> cycle;

  /// {"valid","error","good_outputs","node_errors"}.
  [[nodiscard]] Json ToJson() const;
};

/// Judges a prompt by ComfyUI's rules: every node needs a known class; each output is followed
/// upstream; literals are converted in place ("5" for an INT becomes 5). Only declared inputs and
/// ancestors of outputs are looked at. With `wanted`, only outputs with these ids count.
Verdict Validate(const NodeRegistry& registry, Prompt& prompt,
                 const std::optional<std::vector<std::string>>& wanted = std::nullopt);

/// A verdict for what never got as far as validation: not JSON, not convertible.
Verdict Refusal(const std::string& message);

}  // namespace framelock::graph
