// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/executor.h"

#include <algorithm>
#include <utility>

namespace framelock::graph {

std::string NodeFailure::ToString() const {
  return "node " + node_id + " (" + class_type + "): " + text;
}

// The view that one node has of its step.
class Executor::Call final : public NodeCall {
 public:
  Call(Executor& executor, std::size_t step, FrameUse use)
      : executor_(executor), index_(step), step_(executor.plan_.steps()[step]), use_(use) {}

  [[nodiscard]] std::size_t input_count() const override { return step_.inputs.size(); }

  [[nodiscard]] bool Has(std::size_t i) const override {
    return !std::holds_alternative<std::monostate>(input(i));
  }

  [[nodiscard]] const Value& input(std::size_t i) const override {
    static const Value kNothing;
    const Binding& binding = step_.inputs[i];
    switch (binding.from) {
      case Binding::From::kLiteral:
        return binding.literal;
      case Binding::From::kSlot:
        return executor_.slots_[binding.slot];
      case Binding::From::kNowhere:
        break;
    }
    return kNothing;
  }

  Tensor TakeTensor(std::size_t i) override {
    const Binding& binding = step_.inputs[i];
    if (binding.last_reader) {
      return std::move(std::get<Tensor>(executor_.slots_[binding.slot]));
    }
    return Image(i);
  }

  Tensor TakeFrame() override {
    if (executor_.sources_left_ > 1) {
      --executor_.sources_left_;
      return executor_.frame_;
    }
    return std::move(executor_.frame_);
  }

  Result<Audio> TakeAudio(std::chrono::milliseconds length) override {
    return executor_.TakeAudio(length);
  }

  [[nodiscard]] FrameUse use() const override { return use_; }
  TensorPool& pool() override { return executor_.pool_; }
  RowThreads& threads() override { return executor_.threads_; }
  FaultHooks& fault_hooks() override { return executor_.faults_; }

  void SetOutput(std::size_t output, Value value) override {
    executor_.slots_[step_.first_output + output] = std::move(value);
  }

  void Emit(Tensor image) override {
    if (const auto sink = executor_.sink_of_[index_]) {
      executor_.results_[*sink] = std::move(image);
    }
  }

  void EmitText(std::string text) override {
    if (const auto sink = executor_.sink_of_[index_]) {
      executor_.texts_[*sink] = std::move(text);
    }
  }

  void EmitAudio(Audio audio) override {
    if (const auto sink = executor_.sink_of_[index_]) {
      executor_.audio_[*sink] = std::move(audio);
    }
  }

  // Types of links were checked once; what stays are literals in place of images, and wildcards.
  [[nodiscard]] std::optional<std::string> Misfit() const {
    if (step_.stray_link) {
      return "got an unexpected keyword argument '" + *step_.stray_link + "'";
    }
    for (const std::size_t i : step_.checked) {
      const NodeInput& declared = step_.node_class->inputs[i];
      const bool asked_for = step_.inputs[i].laziness == Laziness::kEager || Has(i);
      const bool left_out = !Has(i) && MayBeNull(declared);
      if (asked_for && !left_out && !Fits(input(i), declared.spec->kind)) {
        return "input '" + declared.name + "' takes " + Describe(declared.spec->kind) + ", not " +
               Describe(input(i));
      }
    }
    return std::nullopt;
  }

 private:
  // To a node, an optional picture that is null is one that is not there.
  static bool MayBeNull(const NodeInput& input) {
    const ValueKind kind = input.spec->kind;
    return input.presence == Presence::kOptional &&
           (kind == ValueKind::kImage || kind == ValueKind::kMask ||
            kind == ValueKind::kImageOrMask) &&
           input.name == input.ShortName();
  }

  Executor& executor_;
  std::size_t index_;
  const Step& step_;
  FrameUse use_;
};

Executor::Executor(Plan plan, TensorPool& pool, FaultHooks& faults, RowThreads& threads)
    : plan_(std::move(plan)),
      pool_(pool),
      faults_(faults),
      threads_(threads),
      slots_(plan_.slots()),
      results_(plan_.sinks().size()),
      texts_(plan_.sinks().size()),
      audio_(plan_.sinks().size()),
      sink_of_(plan_.steps().size()),
      is_loaded_(plan_.steps().size()),
      is_current_(plan_.steps().size()),
      ran_at_(plan_.steps().size()) {
  asked_for_.reserve(plan_.steps().size());
  for (std::size_t i = 0; i < plan_.sinks().size(); ++i) {
    sink_of_[plan_.sinks()[i]] = i;
  }
  for (const Step& step : plan_.steps()) {
    nodes_.push_back(step.node_class->make());
    sources_ += step.node_class->spec.source == Medium::kPicture ? 1 : 0;
  }
}

Executor::~Executor() = default;

std::optional<NodeFailure> Executor::Load() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (plan_.steps()[i].demand == Demand::kAlways) {
      if (std::optional<NodeFailure> failure = LoadStep(i)) {
        return failure;
      }
    }
  }
  return RunSteps([](const Step& step) { return step.phase != StepPhase::kEveryFrame; },
                  FrameUse::kRehearsal);
}

std::optional<NodeFailure> Executor::LoadStep(std::size_t index) {
  Call call(*this, index, FrameUse::kRehearsal);
  if (Status loaded = nodes_[index]->Load(call); !loaded.ok()) {
    const Step& step = plan_.steps()[index];
    return NodeFailure{step.node_id, step.node_class->spec.class_type, loaded.error().message};
  }
  is_loaded_[index] = true;
  return std::nullopt;
}

std::optional<NodeFailure> Executor::Run(Tensor frame, FrameUse use) {
  DropValues(StepPhase::kEveryFrame);
  frame_ = std::move(frame);
  sources_left_ = sources_;
  std::optional<NodeFailure> failure = RunSteps(
      [](const Step& step) {
        return step.phase == StepPhase::kWhenChanged || step.phase == StepPhase::kEveryFrame;
      },
      use);
  if (failure) {
    DropValues(StepPhase::kEveryFrame);
  }
  frame_ = Tensor();
  return failure;
}

std::optional<NodeFailure> Executor::RunAudio(Audio audio) {
  DropValues(StepPhase::kEveryPiece);
  piece_ = std::move(audio);
  std::optional<NodeFailure> failure = RunSteps(
      [](const Step& step) {
        return step.phase == StepPhase::kEveryPiece ||
               (step.phase == StepPhase::kWhenChanged && step.feeds_audio);
      },
      FrameUse::kShown);
  if (failure) {
    DropValues(StepPhase::kEveryPiece);
  }
  return failure;
}

Result<Audio> Executor::TakeAudio(std::chrono::milliseconds length) {
  audio_length_ = std::max(audio_length_, length);
  if (!piece_) {
    constexpr std::uint32_t kSampleRate = 48'000;
    const auto samples = static_cast<std::uint32_t>(length.count() * (kSampleRate / 1000));
    Result<Tensor> silence = pool_.Allocate({1, 1, samples, 1, TensorLayout::kMask});
    if (!silence.ok()) {
      return silence.error();
    }
    std::fill_n(silence->mutable_data(), silence->size(), 0.0F);
    piece_ = Audio{std::move(*silence), kSampleRate};
  }
  return *piece_;
}

template <typename Wanted>
std::optional<NodeFailure> Executor::RunSteps(const Wanted& wanted, FrameUse use) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Step& step = plan_.steps()[i];
    if (is_current_[i] || step.demand != Demand::kAlways || !wanted(step)) {
      continue;
    }
    if (std::optional<NodeFailure> failure =
            step.has_lazy_inputs ? RunWithInputs(i, use) : RunStep(i, use)) {
      return failure;
    }
  }
  return std::nullopt;
}

// Runs what the step asks for, and what that needs, then the step. On a stack of its own.
std::optional<NodeFailure> Executor::RunWithInputs(std::size_t wanted, FrameUse use) {
  asked_for_.assign(1, wanted);
  while (!asked_for_.empty()) {
    const std::size_t step = asked_for_.back();
    if (const std::optional<std::size_t> missing = FindMissing(step, use)) {
      asked_for_.push_back(*missing);
      continue;
    }
    asked_for_.pop_back();
    if (!is_loaded_[step]) {
      if (std::optional<NodeFailure> failure = LoadStep(step)) {
        return failure;
      }
    }
    if (std::optional<NodeFailure> failure = RunStep(step, use)) {
      return failure;
    }
  }
  return std::nullopt;
}

// What a piece of audio gave holds until the next one.
bool Executor::IsThere(std::size_t step) const {
  const Step& writer = plan_.steps()[step];
  return is_current_[step] ||
         (writer.phase == StepPhase::kEveryPiece && writer.demand == Demand::kAlways);
}

// A step that has to run before this one; the eager ones first, because nodes look at those.
std::optional<std::size_t> Executor::FindMissing(std::size_t index, FrameUse use) {
  const Step& step = plan_.steps()[index];
  const Call call(*this, index, use);
  for (const Laziness laziness : {Laziness::kEager, Laziness::kLazy}) {
    if (laziness == Laziness::kLazy && call.Misfit()) {
      return std::nullopt;  // the step fails for it, and its node is not asked
    }
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Binding& input = step.inputs[i];
      if (input.from != Binding::From::kSlot || input.laziness != laziness ||
          IsThere(plan_.writer_of(input.slot))) {
        continue;
      }
      if (laziness == Laziness::kEager || nodes_[index]->Needs(call, i)) {
        return plan_.writer_of(input.slot);
      }
    }
  }
  return std::nullopt;
}

std::optional<NodeFailure> Executor::RunStep(std::size_t index, FrameUse use) {
  const Step& step = plan_.steps()[index];
  const auto failure = [&](std::string text) {
    return NodeFailure{step.node_id, step.node_class->spec.class_type, std::move(text)};
  };
  if (step.phase == StepPhase::kWhenChanged && StillHolds(index, use)) {
    is_current_[index] = true;
    return std::nullopt;
  }
  ran_at_[index] = 0;  // what fails now does not hold on the next frame
  Call call(*this, index, use);
  if (std::optional<std::string> misfit = call.Misfit()) {
    return failure(std::move(*misfit));
  }
  if (Status ran = nodes_[index]->Run(call); !ran.ok()) {
    return failure(ran.error().message);
  }
  is_current_[index] = true;
  // What acts is to act on what is shown, so it runs again.
  ran_at_[index] = step.acts && use == FrameUse::kRehearsal ? 0 : ++runs_;
  for (const std::size_t slot : step.freed_slots) {
    slots_[slot] = Value();
  }
  return std::nullopt;
}

// Whether a step that has run need not run again: neither its inputs nor the world have changed.
bool Executor::StillHolds(std::size_t index, FrameUse use) {
  const Step& step = plan_.steps()[index];
  if (ran_at_[index] == 0) {
    return false;
  }
  for (const Binding& input : step.inputs) {
    if (input.from == Binding::From::kSlot &&
        ran_at_[plan_.writer_of(input.slot)] > ran_at_[index]) {
      return false;
    }
  }
  Call call(*this, index, use);
  return step.node_class->spec.freshness != Freshness::kWhenChanged ||
         !nodes_[index]->HasChanged(call);
}

// What the last frame, or piece, left: its results, and its values if it failed half-way. What
// runs when something has changed is looked at again.
void Executor::DropValues(StepPhase phase) {
  for (std::size_t index = 0; index < plan_.steps().size(); ++index) {
    const Step& step = plan_.steps()[index];
    is_current_[index] =
        is_current_[index] && step.phase != phase && step.phase != StepPhase::kWhenChanged;
    // Frames may still read what the last piece gave.
    if (step.phase == phase && phase != StepPhase::kEveryPiece) {
      for (std::size_t i = 0; i < step.node_class->spec.outputs.size(); ++i) {
        slots_[step.first_output + i] = Value();
      }
    }
  }
  for (std::size_t i = 0; i < results_.size(); ++i) {
    if (plan_.steps()[plan_.sinks()[i]].phase == phase) {
      results_[i] = Tensor();
      texts_[i].reset();
      audio_[i].reset();
    }
  }
}

}  // namespace framelock::graph
