// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/json.h"
#include "workers/graph/prompt_limits.h"

namespace framelock::graph {

/// One node as the prompt states it, right or wrong: validation judges, parsing only sorts.
struct PromptNode {
  struct Input {
    std::string name;
    Json value;  // a literal, or a list: always meant as a link [node id, slot]
  };

  std::string id;
  std::optional<Json> class_type;            // a string, or no class; nullopt: the key is missing
  std::optional<std::vector<Input>> inputs;  // nullopt: the key is missing
  std::optional<std::string> no_inputs;      // what stands in their place, as Python calls it
  std::optional<Json> title;                 // _meta.title

  [[nodiscard]] bool Is(std::string_view name) const { return class_type && *class_type == name; }
  [[nodiscard]] const Input* FindInput(std::string_view name) const;
  [[nodiscard]] Input* FindInput(std::string_view name);
};

/// An API-format prompt: nodes by id, in the order of the text.
class Prompt {
 public:
  /// The error says what is wrong with the text; an editor workflow (nodes and links as lists) is
  /// named as such.
  static Result<Prompt> Parse(std::string_view text, const PromptLimits& limits = {},
                              NonFinite nonfinite = NonFinite::kReject);

  [[nodiscard]] const std::vector<PromptNode>& nodes() const { return nodes_; }
  [[nodiscard]] std::vector<PromptNode>& nodes() { return nodes_; }
  /// Position in nodes(); ids do not change after parsing.
  [[nodiscard]] std::optional<std::size_t> Find(const std::string& id) const;

 private:
  std::vector<PromptNode> nodes_;
  std::unordered_map<std::string, std::size_t> by_id_;
};

}  // namespace framelock::graph
