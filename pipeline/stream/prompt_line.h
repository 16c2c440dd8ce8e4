// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "pipeline/core/bounded_queue.h"
#include "pipeline/core/event_fd.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/stream/stream_pipeline.h"

namespace framelock::stream {

/// Applies prompts, and lets other workers take over, one after another on a thread of its own, so
/// that the control loop never waits for a worker. Owned by the control loop. When kMaxWaiting
/// prompts wait, the next is refused. The destructor joins; whoever owns it sees to it that the
/// call under way returns.
class PromptLine {
 public:
  static constexpr std::size_t kMaxWaiting = 8;

  struct Request {
    std::int64_t number = 0;  // of a worker: its lease
    StreamPipeline::PromptChange change;
    UniqueFd worker;  // valid: it is to take over, and there is no prompt
  };
  using Apply = std::function<StreamPipeline::PromptAnswer(Request& request)>;
  enum class Kind : std::uint8_t { kPrompt, kWorker };
  struct Reply {
    std::int64_t number = 0;
    Kind kind = Kind::kPrompt;
    StreamPipeline::PromptAnswer answer;
  };

  static Result<std::unique_ptr<PromptLine>> Create(Apply apply);
  ~PromptLine();
  PromptLine(const PromptLine&) = delete;
  PromptLine& operator=(const PromptLine&) = delete;

  /// False: too many wait.
  bool Submit(Request request);
  /// Readable when NextReply() has something.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  std::optional<Reply> NextReply();

 private:
  PromptLine(Apply apply, EventFd wake);
  void Run();

  const Apply apply_;
  const EventFd wake_;
  BoundedQueue<Request> requests_{kMaxWaiting, FullPolicy::kRejectNew};
  // As many replies as requests can be under way, so that it is never full.
  BoundedQueue<Reply> replies_{2 * kMaxWaiting, FullPolicy::kBlock};
  std::thread thread_;
};

}  // namespace framelock::stream
