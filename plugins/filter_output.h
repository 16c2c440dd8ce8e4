// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "plugins/line_frame.h"

namespace framelock::plugins {

/// The source pad's side of a workerfilter: makes buffers of what the line gives out, announces
/// their caps before them, and holds back what must follow the first caps until they are known
/// (the output's size is not known before the first result). Used by the pad's task only, and by a
/// flush while the task pushes nothing.
class FilterOutput {
 public:
  FilterOutput(GstPad* pad, OnMissing on_missing) : pad_(pad), on_missing_(on_missing) {}
  ~FilterOutput();
  FilterOutput(const FilterOutput&) = delete;
  FilterOutput& operator=(const FilterOutput&) = delete;

  /// `newest`: the format to announce if an event that needs caps comes before any frame; `region`:
  /// where frames lie now. Both may be null.
  GstFlowReturn Push(LineOutput output, const InputFormat* newest, const host::FrameRegion* region);
  /// Stores what was held back on the pad and forgets it and the last result.
  void Flush();
  /// Pixel copies since the last call.
  std::size_t TakeCopies() { return std::exchange(copies_, 0); }

 private:
  GstFlowReturn PushEvent(GstEvent* event, const InputFormat* newest);
  bool Announce(const InputFormat& format, std::uint32_t width, std::uint32_t height);
  void PushHeld();
  GstBuffer* MakeResult(LineOutput& output);
  GstBuffer* MakePassthrough(LineOutput& output, const host::FrameRegion* region);
  GstBuffer* MakeRepeat(LineOutput& output);
  void KeepResult(GstBuffer* buffer, const LineOutput& output);

  GstPad* const pad_;  // borrowed
  const OnMissing on_missing_;
  GstCaps* caps_ = nullptr;  // announced
  std::vector<GstEvent*> held_;
  GstBuffer* last_good_ = nullptr;
  std::size_t copies_ = 0;
};

/// Keeps an event or flushes what could not be sent onto the pad, as a queue does.
void StoreSticky(GstPad* pad, GstEvent* event);

/// The first byte of a buffer whose pixels lie as a slot's do; null otherwise.
const std::byte* PackedPixels(GstBuffer* buffer, std::uint32_t stride, std::size_t bytes);

/// FilterEngine's copy_source for GstBuffers.
bool CopySource(void* source, const InputFormat& format, std::span<std::byte> slot);

}  // namespace framelock::plugins
