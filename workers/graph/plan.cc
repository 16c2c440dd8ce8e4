// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/plan.h"

#include <algorithm>
#include <unordered_map>
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
    FindDemand();
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
    const std::vector<NodeInput>& inputs = ClassOf(node).inputs;
    const PromptNode& stated = prompt_.nodes()[node];
    const PromptNode::Input* given =
        Applies(inputs, input, stated) ? stated.FindInput(inputs[input].name) : nullptr;
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
      } else if (visit.next_input == ClassOf(visit.node).inputs.size()) {
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
    step.acts = Acts(step.node_class->spec);
    for (std::size_t i = 0; i < step.node_class->inputs.size(); ++i) {
      AddInput(node, i, step);
    }
    step.stray_link = FindStrayLink(node);
    if (const std::optional<std::size_t> twin = FindTwin(node, step)) {
      step_of_[node] = twin;
      return;
    }
    step.first_output = plan_.slots_;
    plan_.slots_ += step.node_class->spec.outputs.size();
    plan_.writer_of_.resize(plan_.slots_, plan_.steps_.size());
    step_of_[node] = plan_.steps_.size();
    plan_.steps_.push_back(std::move(step));
  }

  // A step of the same class with the same inputs. Outputs are asked for by name: each is a step.
  std::optional<std::size_t> FindTwin(std::size_t node, const Step& step) {
    if (step.node_class->spec.is_output) {
      return std::nullopt;
    }
    Json signature = Json::array({step.node_class->spec.class_type, step.stray_link.value_or("")});
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Binding& input = step.inputs[i];
      const Json* literal = InputValue(node, i);
      signature.push_back(input.from == Binding::From::kSlot ? Json::array({input.slot})
                          : literal == nullptr               ? Json::array()
                                                             : *literal);
    }
    const auto [known, is_new] = twins_.emplace(DumpJson(signature), plan_.steps_.size());
    return is_new ? std::nullopt : std::optional(known->second);
  }

  // Literals that no input is declared for are ignored, and what groups of inputs bring along.
  std::optional<std::string> FindStrayLink(std::size_t node) const {
    for (const PromptNode::Input& given : *prompt_.nodes()[node].inputs) {
      const bool grouped = given.name.find('.') != std::string::npos;
      const Json& value = given.value;
      const bool link = value.is_array() && value.size() == 2 && value[0].is_string() &&
                        (value[1].is_number() || value[1].is_boolean());
      if (link && !grouped &&
          std::ranges::find(ClassOf(node).inputs, given.name, &NodeInput::name) ==
              ClassOf(node).inputs.end()) {
        return given.name;
      }
    }
    return std::nullopt;
  }

  void AddInput(std::size_t node, std::size_t input, Step& step) const {
    const NodeInput& declared = step.node_class->inputs[input];
    Binding binding = BindingOf(InputValue(node, input));
    binding.laziness = declared.spec->laziness;
    const bool given = binding.from != Binding::From::kNowhere;
    // Inputs of branches not taken are missed by nobody.
    if (given || (declared.presence == Presence::kRequired && !declared.branch)) {
      step.checked.push_back(input);
    }
    if (binding.from == Binding::From::kSlot && binding.laziness == Laziness::kLazy) {
      step.has_lazy_inputs = true;
    }
    step.inputs.push_back(std::move(binding));
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
      StepPhase upstream = StepPhase::kOnce;
      for (const Binding& input : step.inputs) {
        if (input.from == Binding::From::kSlot) {
          const Step& writer = plan_.steps_[plan_.writer_of_[input.slot]];
          upstream = std::max(upstream, writer.phase);
        }
      }
      step.phase = std::max(upstream, PhaseOf(step.node_class->spec, upstream));
    }
    FindWhatFeedsAudio();
  }

  void FindWhatFeedsAudio() {
    for (std::size_t i = plan_.steps_.size(); i-- > 0;) {
      Step& step = plan_.steps_[i];
      step.feeds_audio = step.feeds_audio || step.phase == StepPhase::kEveryPiece;
      for (const Binding& input : step.inputs) {
        if (input.from == Binding::From::kSlot && step.feeds_audio) {
          plan_.steps_[plan_.writer_of_[input.slot]].feeds_audio = true;
        }
      }
    }
  }

  static StepPhase PhaseOf(const NodeSpec& spec, StepPhase upstream) {
    if (spec.source == Medium::kAudio) {
      return StepPhase::kEveryPiece;
    }
    switch (spec.freshness) {
      case Freshness::kWhenChanged:
        return StepPhase::kWhenChanged;
      case Freshness::kEveryFrame:
        // Each time that its inputs are new, if they are of the audio alone.
        return upstream == StepPhase::kEveryPiece ? upstream : StepPhase::kEveryFrame;
      case Freshness::kCached:
        break;
    }
    return Acts(spec) ? StepPhase::kWhenChanged : StepPhase::kOnce;
  }

  static bool Acts(const NodeSpec& spec) { return spec.is_output && spec.sink == Medium::kNone; }

  // Backwards from the outputs: what they reach without a lazy input runs in any case. The rest,
  // and all that it depends on, may run at any time after that.
  void FindDemand() {
    std::vector<bool> always(plan_.steps_.size());
    any_time_.resize(plan_.steps_.size());
    for (const std::size_t sink : plan_.sinks_) {
      always[sink] = true;
    }
    for (std::size_t i = plan_.steps_.size(); i-- > 0;) {
      Step& step = plan_.steps_[i];
      step.demand = always[i] ? Demand::kAlways : Demand::kOnDemand;
      for (const Binding& input : step.inputs) {
        if (input.from == Binding::From::kSlot) {
          const std::size_t writer = plan_.writer_of_[input.slot];
          const bool lazy = input.laziness == Laziness::kLazy;
          always[writer] = always[writer] || (always[i] && !lazy);
          any_time_[writer] = any_time_[writer] || any_time_[i] || lazy;
        }
      }
    }
  }

  // The steps that read one slot.
  struct Readers {
    std::size_t count = 0;
    std::size_t newest = 0;  // the latest one found
    std::size_t last = 0;    // to run; the writer if nobody reads
    bool any_time = false;
  };

  void NoteReader(std::size_t step, Readers& readers) const {
    if (readers.count == 0 || readers.newest != step) {
      ++readers.count;
      readers.newest = step;
    }
    if (plan_.steps_[step].phase >= plan_.steps_[readers.last].phase) {
      readers.last = step;
    }
    readers.any_time = readers.any_time || any_time_[step];
  }

  // A slot that is written on every frame is free after its last reader; one that is written once
  // is free only if no frame reads it; one that is written now and then stays. Where a reader may
  // run at any time, nobody knows the last, unless it is the only one.
  void FindLastReaders() {
    std::vector<Readers> readers(plan_.slots_);
    for (std::size_t slot = 0; slot < plan_.slots_; ++slot) {
      readers[slot].last = plan_.writer_of_[slot];
    }
    for (std::size_t i = 0; i < plan_.steps_.size(); ++i) {
      for (const Binding& input : plan_.steps_[i].inputs) {
        if (input.from == Binding::From::kSlot) {
          NoteReader(i, readers[input.slot]);
        }
      }
    }
    for (std::size_t slot = 0; slot < plan_.slots_; ++slot) {
      const StepPhase written = plan_.steps_[plan_.writer_of_[slot]].phase;
      const Readers& found = readers[slot];
      Step& reader = plan_.steps_[found.last];
      const bool unclear = found.any_time && (found.count > 1 || written == StepPhase::kOnce);
      if (!unclear && reader.phase == written && written != StepPhase::kWhenChanged) {
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
  std::vector<std::optional<std::size_t>> step_of_;     // by node
  std::unordered_map<std::string, std::size_t> twins_;  // steps by what they compute
  std::vector<bool> any_time_;                          // by step: lazy inputs lead to it
  Plan plan_;
};

Plan Plan::Make(const NodeRegistry& registry, const Prompt& prompt, const Verdict& verdict) {
  return Builder(registry, prompt).Build(verdict.good_outputs);
}

bool Plan::passes_frame_on() const {
  const auto changes_no_picture = [](const Step& step) {
    return step.phase == StepPhase::kOnce || step.phase == StepPhase::kEveryPiece ||
           (step.phase == StepPhase::kEveryFrame &&
            step.node_class->spec.pixels == Pixels::kPassedOn);
  };
  const auto shows_the_frame = [this](std::size_t sink) {
    return steps_[sink].node_class->spec.sink != Medium::kPicture ||
           steps_[sink].phase == StepPhase::kEveryFrame;
  };
  return std::all_of(steps_.begin(), steps_.end(), changes_no_picture) &&
         std::all_of(sinks_.begin(), sinks_.end(), shows_the_frame);
}

bool Plan::gives(Medium medium) const {
  return std::any_of(sinks_.begin(), sinks_.end(), [&](std::size_t sink) {
    return steps_[sink].node_class->spec.sink == medium;
  });
}

bool Plan::takes(Medium medium) const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [&](const Step& step) { return step.node_class->spec.source == medium; });
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
