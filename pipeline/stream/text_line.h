// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/core/bounded_queue.h"
#include "pipeline/core/event_fd.h"
#include "pipeline/core/result.h"

namespace framelock::stream {

/// What the graph said of one published frame.
struct FrameText {
  std::uint64_t sequence = 0;              // of the frames that came in since the process's start
  std::optional<std::uint64_t> pts_ticks;  // 90 kHz; a constant off the PTS in the output
  std::string text;                        // UTF-8
};

/// {"sequence":n,"pts":t,"text":"…"}; pts is null for a frame without time.
nlohmann::json ToJson(const FrameText& text);

/// Nanoseconds as the muxer makes 90 kHz ticks of them: rounded to the nearest.
std::uint64_t ToTicks(std::uint64_t nanoseconds);

/// Texts on their way from the streaming thread, which puts them in and never waits, to the main
/// one, which takes them out. When full the oldest is dropped, and counted. Owned by the pipeline.
class TextLine {
 public:
  static Result<std::unique_ptr<TextLine>> Create(std::size_t max_waiting);

  void Put(FrameText text);

  /// Readable when Next() has something.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  std::optional<FrameText> Next();
  [[nodiscard]] std::uint64_t dropped() const { return texts_.dropped(); }

 private:
  TextLine(std::size_t max_waiting, EventFd wake)
      : texts_(max_waiting, FullPolicy::kDropOldest), wake_(std::move(wake)) {}

  BoundedQueue<FrameText> texts_;
  const EventFd wake_;
};

}  // namespace framelock::stream
