// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/frame_sequence.h"
#include "plugins/cargo.h"
#include "plugins/slot_lease.h"
#include "workers/protocol/messages.h"

namespace framelock::plugins {

/// What is published in the place of a frame that has no result.
enum class OnMissing : std::uint8_t {
  kPassthrough,  // the source frame itself
  kRepeat,       // the last good result, under the frame's own time
  kGap,          // nothing
};

/// One negotiated input format. Shared by the frames that have it.
struct InputFormat {
  std::uint64_t id = 0;  // grows with each negotiation
  protocol::PixelFormat pixels = protocol::PixelFormat::kRgb8;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Cargo caps = NoCargo();
};

/// A frame while it is in the line: its source and what it holds of the shared region.
struct LineFrame {
  FrameSequence sequence;
  std::shared_ptr<void> source;  // with pts, duration, flags and metas
  std::optional<std::chrono::nanoseconds> pts;
  std::shared_ptr<const InputFormat> format;
  const std::byte* packed = nullptr;  // its rows, if they lie as a slot's rows do
  SteadyTime arrived{};
  SteadyTime expected{};              // by the input's own clock; never later
  std::unique_ptr<SlotLease> copied;  // input slot, if the source had to be copied
  std::uint32_t input_slot = 0;       // once submitted
  std::unique_ptr<SlotLease> output;  // reserved from submission to publication
  std::vector<std::string> texts;     // what the graph said of it; published with its result only
};

/// What the worker says about an answered frame, checked.
struct FrameResult {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t revision = 0;
};

/// One thing to push downstream.
struct LineOutput {
  enum class Kind : std::uint8_t {
    kEvent,
    kResult,       // frame.output under the frame's own time
    kPassthrough,  // frame.source
    kRepeat,       // the pixels of the last kResult, or newer ones, under this frame's time
  };
  Kind kind = Kind::kEvent;
  Cargo event = NoCargo();
  LineFrame frame;
  FrameResult result;                // kResult, kRepeat
  std::unique_ptr<SlotLease> newer;  // kRepeat: its pixels, if they are not those of the last one
  std::chrono::nanoseconds latency{};
};

}  // namespace framelock::plugins
