// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/fault_hooks.h"
#include "workers/graph/prompt_limits.h"
#include "workers/graph/row_threads.h"

namespace framelock::graph {

class NodeRegistry;

struct SessionOptions {
  PromptLimits prompt;
  ExecutionLimits execution;
  RowThreads* threads = nullptr;  // borrowed, and outlives the session; null: none but the caller's
};

/// One stream's graph at work: takes a prompt, then 8-bit frames and 16-bit audio, and gives the
/// same back. Owned by the worker's frame loop; one thread. Nothing here blocks but the nodes
/// themselves.
///
///   Prepare(json) -> Probe(shape) -> { Run(frame) -> WriteOutput(slot) | RunAudio(piece) }*
///
/// Probe is optional: Run works with any input size at any time. Nodes that depend on the audio
/// alone run on its pieces, all others on frames, with what the newest piece gave. A medium that no
/// node takes or gives passes beside the graph.
class Session {
 public:
  /// Width, height and channels (1 to 4) of one frame.
  struct Shape {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t channels = 0;
    bool operator==(const Shape&) const = default;
  };

  /// A frame in memory that the caller owns; rows lie `stride` bytes apart. channels is 3 (R G B)
  /// or 4: alpha is ignored on the way in, 255 on the way out unless the graph made one.
  struct InputFrame {
    std::span<const std::byte> bytes;
    Shape shape;
    std::size_t stride = 0;
  };
  struct OutputFrame {
    std::span<std::byte> bytes;
    std::uint32_t channels = 3;
    std::size_t stride = 0;
  };

  /// Why a prompt was refused: {"error":{type,message,details,extra_info},"node_errors":{…}},
  /// ComfyUI's shape.
  struct Rejected {
    std::string errors_json;
  };

  /// Borrowed, `registry` must outlive the session; else the session keeps it.
  static Result<std::unique_ptr<Session>> Create(const NodeRegistry& registry,
                                                 SessionOptions options = {});
  static Result<std::unique_ptr<Session>> Create(std::shared_ptr<const NodeRegistry> registry,
                                                 SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Converts (LoadImage to LoadTensor and so on), validates, plans and loads a prompt. The old one
  /// stays active, with all its state, if the new one is refused.
  std::optional<Rejected> Prepare(std::string_view prompt_json);
  [[nodiscard]] bool has_prompt() const;

  /// Dry run on a grey frame that nobody sees: the shape that comes out for this input. Makes the
  /// tables and buffers that frames of this size need. kUnavailable without a prompt.
  Result<Shape> Probe(Shape input);

  /// Runs the graph on one frame and keeps the result until the next Run or Probe; its shape tells
  /// how large the output slot must be. The frame's memory must stay until then: a graph that
  /// changes no picture is one copy, from there to the slot. An error names the node: "node 3
  /// (ImageBlur): …".
  Result<Shape> Run(const InputFrame& frame);

  /// Writes the last result as bytes (times 255, clamped, truncated). kUnavailable if the last run
  /// gave none, kResourceLimit if the slot is too small; nothing is written then.
  Status WriteOutput(const OutputFrame& slot) const;

  /// How much audio RunAudio is to be given at once; 0: the prompt's nodes take none.
  [[nodiscard]] std::chrono::milliseconds audio_length() const;
  /// Mono, one piece after the other; any length works. The result is as long, or empty if the
  /// graph gives no audio; valid until the next RunAudio or Prepare. Errors as Run's.
  struct AudioPiece {
    std::span<const std::int16_t> samples;
    std::uint32_t sample_rate = 0;
  };
  Result<std::span<const std::int16_t>> RunAudio(const AudioPiece& piece);

  /// What the nodes that take text received in the last Run, without empty ones; valid until the
  /// next call.
  [[nodiscard]] std::vector<std::string_view> texts() const;
  /// The same of every RunAudio since the last call of this: the newest 64, 1 MiB.
  std::vector<std::string> TakeSoundTexts();

  /// Faults asked for by the last Run; the caller clears what it has acted on.
  FaultHooks& fault_hooks();

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::graph
