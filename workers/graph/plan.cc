// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/plan.h"

#include <algorithm>
#include <utility>

#include "workers/graph/validate_input.h"

namespace framelock::graph {

namespace {

Value LiteralOf(const Json& json) {
  switch (json.type()) {
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    default:
      return {};
  }
}

}  // namespace

class Plan::Builder {
 public:
  Builder(const NodeRegistry& registry, const Prompt& prompt)
      : registry_(registry), prompt_(prompt), step_of_(prompt.nodes().size()) {}

  Plan Build(const std::vector<std::string>& outputs) {
    for (const std::string& id : outputs) {
      const std::size_t node = *prompt_.Find(id);
      AddWithAncestors(node);
      plan_.sinks_.push_back(*step_of_[node]);
    }
    ChoosePhases();
    FindLastReaders();
    return std::move(plan_);
  }

 private:
  struct Visit {
    std::size_t node = 0;
    std::size_t next_input = 0;
  };

  const NodeClass& ClassOf(std::size_t node) const {
    return *registry_.Find(prompt_.nodes()[node].class_type->get_ref<const std::string&>());
  }

  const Json* InputValue(std::size_t node, std::size_t input) const {
    const std::string& name = ClassOf(node).spec.inputs[input].name;
    const PromptNode::Input* given = prompt_.nodes()[node].FindInput(name);
    return given == nullptr ? nullptr : &given->value;
  }

  // Valid links only: the verdict has followed them.
  LinkTarget TargetOf(const Json& link) const {
    LinkTarget target;
    ResolveLink(registry_, prompt_, link, target);
    return target;
  }

  // Depth first, on a stack of its own. Good nodes have no cycles among their ancestors.
  void AddWithAncestors(std::size_t output) {
    std::vector<Visit> stack{{.node = output}};
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (step_of_[visit.node]) {
        stack.pop_back();
      } else if (visit.next_input == ClassOf(visit.node).spec.inputs.size()) {
        AddStep(visit.node);
        stack.pop_back();
      } else {
        const Json* value = InputValue(visit.node, visit.next_input++);
        if (value != nullptr && value->is_array()) {
          stack.push_back({.node = TargetOf(*value).node});
        }
      }
    }
  }

  void AddStep(std::size_t node) {
    Step step{.node_id = prompt_.nodes()[node].id, .node_class = &ClassOf(node)};
    for (std::size_t i = 0; i < step.node_class->spec.inputs.size(); ++i) {
      step.inputs.push_back(BindingOf(InputValue(node, i)));
    }
    step.first_output = plan_.slots_;
    plan_.slots_ += step.node_class->spec.outputs.size();
    writer_of_.resize(plan_.slots_, plan_.steps_.size());
    step_of_[node] = plan_.steps_.size();
    plan_.steps_.push_back(std::move(step));
  }

  Binding BindingOf(const Json* value) const {
    if (value == nullptr) {
      return {};
    }
    if (!value->is_array()) {
      return {.from = Binding::From::kLiteral, .literal = LiteralOf(*value)};
    }
    const LinkTarget target = TargetOf(*value);
    return {.from = Binding::From::kSlot,
            .slot = plan_.steps_[*step_of_[target.node]].first_output + target.slot};
  }

  void ChoosePhases() {
    for (Step& step : plan_.steps_) {
      bool changes = step.node_class->spec.freshness == Freshness::kEveryFrame;
      for (const Binding& input : step.inputs) {
        changes = changes || (input.from == Binding::From::kSlot &&
                              plan_.steps_[writer_of_[input.slot]].phase == StepPhase::kEveryFrame);
      }
      step.phase = changes ? StepPhase::kEveryFrame : StepPhase::kOnce;
    }
  }

  // A slot that is written on every frame is free after its last reader; one that is written once
  // is free only if no frame reads it.
  void FindLastReaders() {
    std::vector<std::size_t> last_reader = writer_of_;
    for (std::size_t i = 0; i < plan_.steps_.size(); ++i) {
      for (const Binding& input : plan_.steps_[i].inputs) {
        if (input.from != Binding::From::kSlot) {
          continue;
        }
        std::size_t& last = last_reader[input.slot];
        const bool once_only = plan_.steps_[i].phase == StepPhase::kOnce &&
                               plan_.steps_[last].phase == StepPhase::kEveryFrame;
        last = once_only ? last : std::max(last, i);
      }
    }
    for (std::size_t slot = 0; slot < plan_.slots_; ++slot) {
      Step& reader = plan_.steps_[last_reader[slot]];
      if (reader.phase == plan_.steps_[writer_of_[slot]].phase) {
        reader.freed_slots.push_back(slot);
        MarkSoleInput(reader, slot);
      }
    }
  }

  static void MarkSoleInput(Step& step, std::size_t slot) {
    Binding* found = nullptr;
    for (Binding& input : step.inputs) {
      if (input.from == Binding::From::kSlot && input.slot == slot) {
        if (found != nullptr) {
          found->last_reader = false;
          return;
        }
        found = &input;
        input.last_reader = true;
      }
    }
  }

  const NodeRegistry& registry_;
  const Prompt& prompt_;
  std::vector<std::optional<std::size_t>> step_of_;  // by node
  std::vector<std::size_t> writer_of_;               // step by slot
  Plan plan_;
};

Plan Plan::Make(const NodeRegistry& registry, const Prompt& prompt, const Verdict& verdict) {
  return Builder(registry, prompt).Build(verdict.good_outputs);
}

bool Plan::passes_frame_on() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) {
    return step.phase == StepPhase::kEveryFrame &&
           step.node_class->spec.pixels == Pixels::kPassedOn;
  });
}

std::optional<std::size_t> Plan::FindSink(const std::string& node_id) const {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    if (steps_[sinks_[i]].node_id == node_id) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace framelock::graph
