// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/prompt.h"

#include <algorithm>
#include <utility>

#include "workers/graph/python_text.h"

namespace framelock::graph {

namespace {

Error Invalid(std::string text) { return {ErrorCode::kInvalidArgument, std::move(text)}; }

Result<PromptNode> ParseNode(const std::string& id, Json& value) {
  const std::string where = "node '" + id + "': ";
  if (!value.is_object()) {
    return Invalid(where + "must be an object with class_type and inputs, not " +
                   value.type_name());
  }
  PromptNode node;
  node.id = id;
  if (const auto type = value.find("class_type"); type != value.end()) {
    if (type->is_structured()) {
      return Invalid(where + "class_type must be a string, not " + type->type_name());
    }
    node.class_type = std::move(*type);
  }
  if (const auto inputs = value.find("inputs"); inputs != value.end()) {
    node.inputs.emplace();
    if (inputs->is_object()) {
      for (auto& [name, input] : inputs->items()) {
        node.inputs->push_back({name, std::move(input)});
      }
    } else {
      node.no_inputs = PythonTypeName(*inputs);
    }
  }
  if (const auto meta = value.find("_meta"); meta != value.end() && meta->is_object()) {
    if (const auto title = meta->find("title"); title != meta->end()) {
      node.title = std::move(*title);
    }
  }
  return node;
}

}  // namespace

const PromptNode::Input* PromptNode::FindInput(std::string_view name) const {
  if (!inputs) {
    return nullptr;
  }
  const auto found = std::ranges::find(*inputs, name, &Input::name);
  return found == inputs->end() ? nullptr : &*found;
}

PromptNode::Input* PromptNode::FindInput(std::string_view name) {
  return const_cast<Input*>(std::as_const(*this).FindInput(name));
}

Result<Prompt> Prompt::Parse(std::string_view text, const PromptLimits& limits,
                             NonFinite nonfinite) {
  Result<Json> root = ParseJson(text, limits, nonfinite);
  if (!root.ok()) {
    return Error{root.error().code, "prompt: " + root.error().message};
  }
  if (!root->is_object()) {
    return Invalid(std::string("prompt: must be an object of nodes by id, not ") +
                   root->type_name());
  }
  if (const auto nodes = root->find("nodes"); nodes != root->end() && nodes->is_array()) {
    return Invalid(
        "prompt: this is a workflow as the ComfyUI editor saves it (lists of nodes and links); "
        "export it in API format");
  }
  Prompt prompt;
  for (auto& [id, value] : root->items()) {
    if (id.size() > limits.max_id_bytes) {
      return Invalid("prompt: a node's id has " + std::to_string(id.size()) + " bytes, more than " +
                     std::to_string(limits.max_id_bytes));
    }
    Result<PromptNode> node = ParseNode(id, value);
    if (!node.ok()) {
      return Error{node.error().code, "prompt: " + node.error().message};
    }
    prompt.by_id_.emplace(id, prompt.nodes_.size());
    prompt.nodes_.push_back(std::move(*node));
  }
  return prompt;
}

std::optional<std::size_t> Prompt::Find(const std::string& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace framelock::graph
