// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workers/graph/node_registry.h"
#include "workers/graph/prompt.h"
#include "workers/graph/validate.h"
#include "workers/graph/value.h"

namespace framelock::graph {

/// When a step runs: once, when the prompt is taken; if something upstream of it has changed; on
/// every piece of the stream's audio; or on every frame. A step that needs both runs on frames,
/// with what the newest piece gave. In this order.
enum class StepPhase : std::uint8_t { kOnce, kWhenChanged, kEveryPiece, kEveryFrame };

/// Where one input of a step comes from.
struct Binding {
  enum class From : std::uint8_t { kNowhere, kLiteral, kSlot } from = From::kNowhere;
  Value literal;
  std::size_t slot = 0;
  // This step is the slot's last reader and reads it through this input only: it may keep the
  // value.
  bool last_reader = false;
  Laziness laziness = Laziness::kEager;
};

/// Whether a step runs in any case, or only once a step asks for it through a lazy input.
enum class Demand : std::uint8_t { kAlways, kOnDemand };

/// One node at its place in the order of execution.
struct Step {
  std::string node_id;
  const NodeClass* node_class = nullptr;
  StepPhase phase = StepPhase::kOnce;
  Demand demand = Demand::kAlways;
  bool has_lazy_inputs = false;
  bool feeds_audio = false;          // a step that runs on pieces depends on it
  bool acts = false;                 // an output that gives nothing to the stream
  std::vector<Binding> inputs;       // one per input of the class
  std::vector<std::size_t> checked;  // those whose value must fit the spec
  // A linked input that the class does not have: as in ComfyUI the node fails when it is to run.
  std::optional<std::string> stray_link = {};
  std::size_t first_output = 0;          // its outputs are slots [first_output, + outputs)
  std::vector<std::size_t> freed_slots;  // nobody reads these after this step
};

/// What a valid prompt runs: the ancestors of its good outputs, each once, in topological order;
/// those that only lazy inputs lead to, if they are asked for. Nodes of one class with the same
/// inputs are one step, that of the first. A value; made when the prompt is taken, read on every
/// frame.
class Plan {
 public:
  /// `prompt` and `verdict` as Validate() left them. The plan keeps pointers into `registry`.
  static Plan Make(const NodeRegistry& registry, const Prompt& prompt, const Verdict& verdict);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] std::size_t slots() const { return slots_; }
  /// The step that writes a slot.
  [[nodiscard]] std::size_t writer_of(std::size_t slot) const { return writer_of_[slot]; }
  /// Positions in steps() of the good outputs, in prompt order.
  [[nodiscard]] const std::vector<std::size_t>& sinks() const { return sinks_; }
  /// True if what leaves the graph is the frame that came in, pixel for pixel, and no node has to
  /// run on it.
  [[nodiscard]] bool passes_frame_on() const;
  /// Whether a sink takes pictures; if not, those of the stream pass beside the graph.
  [[nodiscard]] bool gives(Medium medium) const;
  /// Whether a source node gives out the medium.
  [[nodiscard]] bool takes(Medium medium) const;
  /// The sink with this node id.
  [[nodiscard]] std::optional<std::size_t> FindSink(const std::string& node_id) const;

 private:
  class Builder;
  std::vector<Step> steps_;
  std::vector<std::size_t> sinks_;
  std::vector<std::size_t> writer_of_;  // by slot
  std::size_t slots_ = 0;
};

}  // namespace framelock::graph
