// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/text_line.h"

#include <nlohmann/json.hpp>

namespace framelock::stream {

namespace {

// On top of each pts before the muxer rounds down; see MediaOutput.
constexpr std::uint64_t kHalfTick = 5556;

}  // namespace

nlohmann::json ToJson(const FrameText& text) {
  return {{"sequence", text.sequence},
          {"pts", text.pts_ticks ? nlohmann::json(*text.pts_ticks) : nlohmann::json(nullptr)},
          {"text", text.text}};
}

std::uint64_t ToTicks(std::uint64_t nanoseconds) { return (nanoseconds + kHalfTick) * 9 / 100'000; }

Result<std::unique_ptr<TextLine>> TextLine::Create(std::size_t max_waiting) {
  Result<EventFd> wake = EventFd::Create();
  if (!wake) return wake.error();
  return std::unique_ptr<TextLine>(new TextLine(max_waiting, std::move(*wake)));
}

void TextLine::Put(FrameText text) {
  texts_.Push(std::move(text));
  wake_.Notify();
}

std::optional<FrameText> TextLine::Next() {
  std::optional<FrameText> text = texts_.TryPop();
  if (text) return text;
  // Another look behind it, so that none is left unheard.
  wake_.Drain();
  return texts_.TryPop();
}

}  // namespace framelock::stream
