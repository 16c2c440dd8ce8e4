// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "workers/graph/session.h"

namespace framelock::worker {

/// Makes of a prompt a graph that is ready for frames, beside those that run meanwhile. Owned by
/// the live loop, whose thread calls it. One load at a time; nothing here waits for it.
class PromptLoader {
 public:
  using Shape = graph::Session::Shape;

  struct Job {
    std::uint64_t revision = 0;
    std::string json;
    std::string settings = "{}";              // of the host; JSON, see PromptSettings
    std::unique_ptr<graph::Session> session;  // loaded before, to be rehearsed once more
    std::optional<Shape> frame;               // of the frames to come; unset: not known yet
  };
  struct Loaded {
    std::uint64_t revision = 0;
    std::unique_ptr<graph::Session> session;  // null: the prompt was refused
    std::string errors_json;                  // why
    std::optional<Shape> frame;               // the Job's
    Shape output;                             // what comes of such frames
  };

  virtual ~PromptLoader() = default;
  /// Not before the job before was taken.
  virtual void Start(Job job) = 0;
  /// What came of it, once.
  virtual std::optional<Loaded> Take() = 0;
  /// Ends a graph: that may take its time, too.
  virtual void Discard(std::unique_ptr<graph::Session> session) = 0;
};

}  // namespace framelock::worker
