// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"
#include "workers/graph/fault_hooks.h"
#include "workers/graph/row_threads.h"
#include "workers/graph/tensor.h"
#include "workers/graph/value.h"

namespace framelock::graph {

/// Whether somebody will see the frame. A rehearsal is for shapes, tables and buffers: nodes that
/// count frames or act on the world leave it alone.
enum class FrameUse : std::uint8_t { kShown, kRehearsal };

/// What a node sees while it runs: its inputs in the order of its spec (NodeInput says how those
/// are counted that stand for several), and where its outputs go. Inputs fit the spec's kinds when
/// a node is called. Valid for the call only.
class NodeCall {
 public:
  virtual ~NodeCall() = default;

  [[nodiscard]] virtual std::size_t input_count() const = 0;
  /// False for an optional input that the prompt leaves out, and for a lazy one not asked for.
  [[nodiscard]] virtual bool Has(std::size_t input) const = 0;
  [[nodiscard]] virtual const Value& input(std::size_t input) const = 0;
  /// A tensor input, given away if nobody needs it after this node: see OutputLike. Once per call.
  virtual Tensor TakeTensor(std::size_t input) = 0;

  /// The frame that the source nodes give out.
  virtual Tensor TakeFrame() = 0;
  /// The newest piece of the stream's audio, shared: such pieces as its source nodes ask for, the
  /// longest if they differ; in the first rehearsal that much silence. Mono.
  virtual Result<Audio> TakeAudio(std::chrono::milliseconds length) = 0;
  [[nodiscard]] virtual FrameUse use() const = 0;

  virtual TensorPool& pool() = 0;
  /// For loops over rows or values.
  virtual RowThreads& threads() { return RowThreads::Alone(); }
  virtual FaultHooks& fault_hooks() = 0;

  virtual void SetOutput(std::size_t output, Value value) = 0;
  /// The result of an output node.
  virtual void Emit(Tensor image) = 0;
  virtual void EmitAudio(Audio audio) = 0;
  virtual void EmitText(std::string text) = 0;

  [[nodiscard]] const Tensor& Image(std::size_t i) const { return std::get<Tensor>(input(i)); }
  [[nodiscard]] const Audio& Sound(std::size_t i) const { return std::get<Audio>(input(i)); }
  [[nodiscard]] std::int64_t Int(std::size_t i) const { return IntOf(input(i)); }
  [[nodiscard]] double Float(std::size_t i) const { return FloatOf(input(i)); }
  [[nodiscard]] bool Boolean(std::size_t i) const { return BooleanOf(input(i)); }
  [[nodiscard]] const std::string& Text(std::size_t i) const {
    return std::get<std::string>(input(i));
  }

  /// A tensor of the same shape to write to. If nobody else sees `taken` (from TakeTensor), these
  /// are its own pixels: then read and write element by element, in step.
  Result<Tensor> OutputLike(Tensor& taken) {
    return taken.unique() ? Result<Tensor>(taken) : pool().Allocate(taken.shape());
  }
};

/// One node of one prompt. May keep tables and state between frames; owned by the executor, called
/// by one thread. Node classes are listed in a NodeRegistry.
class Node {
 public:
  virtual ~Node() = default;

  /// Once, when the prompt is taken, before any frame: read models, make tables. Only the literal
  /// inputs are there; the linked ones look absent. A node that only lazy inputs lead to is loaded
  /// when it first runs.
  virtual Status Load(NodeCall&) { return {}; }

  /// Whether a lazy input is to be computed; asked when the other inputs are there. The nodes that
  /// only inputs not needed depend on do not run.
  virtual bool Needs(const NodeCall&, std::size_t /*input*/) { return true; }

  /// Whether Run() would now give something else for the same inputs than the last time. Asked
  /// before each frame, of classes with Freshness::kWhenChanged only; must be quick.
  virtual bool HasChanged(NodeCall&) { return false; }

  /// Once per frame, or per piece of audio if that is all it depends on, or once per prompt if
  /// nothing upstream changes. The error text becomes the node's failure.
  virtual Status Run(NodeCall& call) = 0;
};

}  // namespace framelock::graph
