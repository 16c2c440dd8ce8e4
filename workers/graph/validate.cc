// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/validate.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "workers/graph/python_text.h"
#include "workers/graph/validate_input.h"

namespace framelock::graph {

namespace {

// A prompt that is wrong in more places than anyone reads gets no verdict that nobody can hold.
constexpr std::size_t kMostErrors = 1000;
constexpr std::size_t kMostDependents = 10'000;

// What is known of one node. A bad node without reasons depends on a bad one.
struct Finding {
  enum class State : std::uint8_t { kNew, kOpen, kGood, kBad } state = State::kNew;
  std::vector<Json> reasons;
  std::vector<std::size_t> links;  // nodes that its declared inputs were followed to
};

// Follows the graph from one output upstream, the way the original recursion goes, but on a stack
// of its own: a prompt cannot make it overflow.
class Walk {
 public:
  Walk(const NodeRegistry& registry, Prompt& prompt)
      : registry_(registry), prompt_(prompt), findings_(prompt.nodes().size()) {}

  // Judges `output` and all its ancestors.
  void Follow(std::size_t output);
  const Finding& finding(std::size_t node) const { return findings_[node]; }
  std::vector<std::size_t> Reachable(std::size_t output) const;
  std::vector<std::string> cycle;

 private:
  // One node whose inputs are being looked at.
  struct Frame {
    std::size_t node = 0;
    std::size_t next_input = 0;
    bool valid = true;
    std::vector<Json> errors;
    // The input being followed upstream, for the record of an exception in there.
    const NodeInput* followed = nullptr;
    Json link;
  };

  const NodeClass& ClassOf(std::size_t node) const {
    return *registry_.Find(prompt_.nodes()[node].class_type->get_ref<const std::string&>());
  }
  const NodeSpec& SpecOf(std::size_t node) const { return ClassOf(node).spec; }
  void Step();
  // What is wrong with the node; beyond the bound only that something is.
  template <typename Make>
  void Fail(Frame& frame, const Make& make) {
    frame.valid = false;
    if (errors_ < kMostErrors) {
      ++errors_;
      frame.errors.push_back(make());
    }
  }
  void FollowLink(const NodeInput& input, const Json& link);
  void Close();
  void Raise(const PythonException& exception);
  void NoteCycle(std::size_t node);

  const NodeRegistry& registry_;
  Prompt& prompt_;
  std::vector<Finding> findings_;
  std::vector<Frame> stack_;
  std::size_t errors_ = 0;
};

void Walk::Follow(std::size_t output) {
  if (findings_[output].state != Finding::State::kNew) {
    return;
  }
  findings_[output].state = Finding::State::kOpen;
  stack_.push_back({.node = output});
  while (!stack_.empty()) {
    Step();
  }
}

// Looks at the next input of the innermost node.
void Walk::Step() {
  Frame& frame = stack_.back();
  PromptNode& node = prompt_.nodes()[frame.node];
  const NodeClass& node_class = ClassOf(frame.node);
  if (!node.inputs) {
    return Raise({"KeyError", "'inputs'"});
  }
  const bool searchable = !node.no_inputs || node.no_inputs == "list" || node.no_inputs == "str";
  if (!searchable && !node_class.inputs.empty()) {
    return Raise({"TypeError", "argument of type '" + *node.no_inputs + "' is not iterable"});
  }
  if (frame.next_input == node_class.inputs.size()) {
    return Close();
  }
  const std::size_t position = frame.next_input++;
  if (!Applies(node_class.inputs, position, node)) {
    return;
  }
  const NodeInput& input = node_class.inputs[position];
  PromptNode::Input* given = node.FindInput(input.name);
  if (given == nullptr) {
    if (input.presence == Presence::kRequired) {
      Fail(frame, [&] {
        return MakeError("required_input_missing", "Required input is missing", input.ShortName(),
                         {{"input_name", input.name}});
      });
    }
    return;
  }
  if (given->value.is_array()) {
    return FollowLink(input, given->value);
  }
  if (std::optional<Json> error = CheckLiteral(input, node_class.spec.style, given->value)) {
    Fail(frame, [&] { return std::move(*error); });
  }
}

void Walk::FollowLink(const NodeInput& input, const Json& link) {
  Frame& frame = stack_.back();
  const SchemaStyle style = SpecOf(frame.node).style;
  const auto config = [&] { return InputConfig(*input.spec, style, kMostOptionsShown); };
  if (link.size() != 2) {
    return Fail(frame, [&] {
      return MakeError(
          "bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]",
          input.name,
          {{"input_name", input.name}, {"input_config", config()}, {"received_value", link}});
    });
  }
  LinkTarget target;
  if (const auto exception = ResolveLink(registry_, prompt_, link, target)) {
    return Raise(*exception);
  }
  const std::string& received = SpecOf(target.node).outputs[target.slot].type;
  if (!TypesMatch(received, *input.spec, style)) {
    return Fail(frame, [&] {
      const Json wanted = config();
      return MakeError("return_type_mismatch", "Return type mismatch between linked nodes",
                       input.name + ", " + received + " != " + PythonStr(wanted[0]),
                       {{"input_name", input.name},
                        {"input_config", wanted},
                        {"received_type", received},
                        {"linked_node", link}});
    });
  }
  findings_[frame.node].links.push_back(target.node);
  Finding& upstream = findings_[target.node];
  if (upstream.state == Finding::State::kNew) {
    upstream.state = Finding::State::kOpen;
    frame.followed = &input;
    frame.link = link;
    stack_.push_back({.node = target.node});
    return;
  }
  if (upstream.state == Finding::State::kOpen) {
    NoteCycle(target.node);
  }
  frame.valid = frame.valid && upstream.state == Finding::State::kGood;
}

// All inputs were looked at.
void Walk::Close() {
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  const NodeSpec& spec = SpecOf(frame.node);
  if (spec.unavailable) {
    const std::string first = spec.inputs.empty() ? "" : spec.inputs.front().name;
    Fail(frame, [&] { return CustomError(first, *spec.unavailable); });
  }
  const bool good = frame.valid;
  Finding& finding = findings_[frame.node];
  finding.state = good ? Finding::State::kGood : Finding::State::kBad;
  finding.reasons = std::move(frame.errors);
  if (!stack_.empty()) {
    stack_.back().valid = stack_.back().valid && good;
  }
}

// An exception ends the innermost node. The one that follows it files the record under it.
void Walk::Raise(const PythonException& exception) {
  const std::size_t node = stack_.back().node;
  stack_.pop_back();
  Finding& finding = findings_[node];
  finding.state = Finding::State::kBad;
  if (stack_.empty()) {
    finding.reasons = {
        MakeError("exception_during_validation", "Exception when validating node", exception.text,
                  {{"exception_type", exception.type}, {"traceback", Json::array()}})};
    return;
  }
  Frame& holder = stack_.back();
  holder.valid = false;
  finding.reasons = {MakeError(
      "exception_during_inner_validation", "Exception when validating inner node", exception.text,
      {{"input_name", holder.followed->name},
       {"input_config",
        InputConfig(*holder.followed->spec, SpecOf(holder.node).style, kMostOptionsShown)},
       {"exception_message", exception.text},
       {"exception_type", exception.type},
       {"traceback", Json::array()},
       {"linked_node", holder.link}})};
}

void Walk::NoteCycle(std::size_t node) {
  if (!cycle.empty()) {
    return;
  }
  const auto start = std::ranges::find(stack_, node, &Frame::node);
  for (auto frame = start; frame != stack_.end(); ++frame) {
    cycle.push_back(prompt_.nodes()[frame->node].id);
  }
}

std::vector<std::size_t> Walk::Reachable(std::size_t output) const {
  std::vector<bool> seen(findings_.size());
  std::vector<std::size_t> reached{output};
  seen[output] = true;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const std::size_t next : findings_[reached[i]].links) {
      if (!seen[next]) {
        seen[next] = true;
        reached.push_back(next);
      }
    }
  }
  return reached;
}

// Every node must have a class that is known; the first that has not ends it all.
Json FindUnknownClass(const NodeRegistry& registry, const Prompt& prompt) {
  for (const PromptNode& node : prompt.nodes()) {
    const Json class_type = node.class_type.value_or(Json());
    if (class_type.is_string() && registry.Find(class_type.get_ref<const std::string&>())) {
      continue;
    }
    const bool missing = !node.class_type;
    const Json title = node.title.value_or(missing ? Json() : class_type);
    const std::string name = missing && !PythonTruth(title) ? "ID #" + node.id : PythonStr(title);
    return MakeError("missing_node_type",
                     "Node '" + name +
                         (missing ? "' has no class_type. The workflow may be corrupted or a "
                                    "custom node is missing."
                                  : "' not found. The custom node may not be installed."),
                     "Node ID '#" + node.id + "'",
                     {{"node_id", node.id}, {"class_type", class_type}, {"node_title", title}});
  }
  return {};
}

std::vector<std::size_t> FindOutputs(const NodeRegistry& registry, const Prompt& prompt,
                                     const std::optional<std::vector<std::string>>& wanted) {
  std::vector<std::size_t> outputs;
  for (std::size_t i = 0; i < prompt.nodes().size(); ++i) {
    const PromptNode& node = prompt.nodes()[i];
    const bool counts = !wanted || std::ranges::find(*wanted, node.id) != wanted->end();
    if (counts && registry.Find(node.class_type->get_ref<const std::string&>())->spec.is_output) {
      outputs.push_back(i);
    }
  }
  return outputs;
}

// The bad nodes and why, each with the outputs that reach it.
class NodeErrors {
 public:
  NodeErrors(const Walk& walk, const Prompt& prompt)
      : walk_(walk), prompt_(prompt), dependents_(prompt.nodes().size()) {}

  void Add(std::size_t output) {
    for (const std::size_t node : walk_.Reachable(output)) {
      const Finding& finding = walk_.finding(node);
      if (finding.state != Finding::State::kBad || finding.reasons.empty()) {
        continue;
      }
      if (dependents_[node].empty()) {
        nodes_.push_back(node);
      } else if (listed_ >= kMostDependents) {
        continue;
      }
      ++listed_;
      dependents_[node].push_back(prompt_.nodes()[output].id);
    }
  }

  Json ToJson() const {
    Json::object_t errors;
    for (const std::size_t node : nodes_) {
      errors.push_back({prompt_.nodes()[node].id,
                        {{"errors", walk_.finding(node).reasons},
                         {"dependent_outputs", dependents_[node]},
                         {"class_type", *prompt_.nodes()[node].class_type}}});
    }
    return errors;
  }

 private:
  const Walk& walk_;
  const Prompt& prompt_;
  std::vector<std::vector<std::string>> dependents_;  // of each node
  std::vector<std::size_t> nodes_;                    // that have some
  std::size_t listed_ = 0;
};

// No output is good: lists what is wrong with the outputs themselves.
Json FailedOutputs(const Walk& walk, const std::vector<std::size_t>& outputs,
                   const Json& node_errors) {
  std::string details;
  constexpr std::string_view kNoException = "ValidationError";
  std::string exception_type(kNoException);
  for (const std::size_t output : outputs) {
    for (const Json& reason : walk.finding(output).reasons) {
      details += details.empty() ? "" : "\n";
      details += reason["message"].get<std::string>() + ": " + reason["details"].get<std::string>();
      if (exception_type == kNoException && reason["type"] == "exception_during_validation") {
        exception_type = reason["extra_info"]["exception_type"];
      }
    }
  }
  Json extra{{"exception_type", exception_type}, {"traceback", Json::array()}};
  if (!node_errors.empty()) {
    extra["node_errors"] = node_errors;
  }
  return MakeError("prompt_outputs_failed_validation", "Prompt outputs failed validation", details,
                   std::move(extra));
}

}  // namespace

Json Verdict::ToJson() const {
  return {{"valid", valid},
          {"error", error},
          {"good_outputs", good_outputs},
          {"node_errors", node_errors}};
}

Verdict Validate(const NodeRegistry& registry, Prompt& prompt,
                 const std::optional<std::vector<std::string>>& wanted) {
  Verdict verdict;
  verdict.error = FindUnknownClass(registry, prompt);
  if (!verdict.error.is_null()) {
    return verdict;
  }
  const std::vector<std::size_t> outputs = FindOutputs(registry, prompt, wanted);
  if (outputs.empty()) {
    verdict.error = MakeError("prompt_no_outputs", "Prompt has no outputs", "", Json::object());
    return verdict;
  }
  Walk walk(registry, prompt);
  NodeErrors errors(walk, prompt);
  for (const std::size_t output : outputs) {
    walk.Follow(output);
    if (walk.finding(output).state == Finding::State::kGood) {
      verdict.good_outputs.push_back(prompt.nodes()[output].id);
    } else {
      errors.Add(output);
    }
  }
  verdict.node_errors = errors.ToJson();
  verdict.cycle = walk.cycle;
  verdict.valid = !verdict.good_outputs.empty();
  if (!verdict.valid) {
    verdict.error = FailedOutputs(walk, outputs, verdict.node_errors);
  }
  return verdict;
}

Verdict Refusal(const std::string& message) {
  Verdict verdict;
  verdict.error = MakeError("invalid_prompt", message, "", Json::object());
  return verdict;
}

}  // namespace framelock::graph
