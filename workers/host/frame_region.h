// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/protocol/messages.h"
#include "workers/protocol/shared_region.h"

namespace framelock::host {

/// The life of a slot, on the near side. Only the owner of the region moves it; what the worker
/// says about a slot is checked against this.
///
///   kFree --Acquire--> kWriting --MarkSubmitted--> kSubmitted --MarkDone--> kDone --Release-->
///   kFree
///                          |                                                             ^
///                          +---------------------------Release--------------------------+
///
/// An input slot is kWriting while upstream fills it; an output slot is kWriting from its
/// reservation until the frame is submitted. In kSubmitted both belong to the worker.
enum class SlotState : std::uint8_t { kFree, kWriting, kSubmitted, kDone };

/// The near side of one shared region: memory, layout and the state of every slot. Shared on
/// purpose: media buffers wrap slots and live on downstream after the element that made them has
/// moved to a newer region or is gone; the memory goes with the last of them. Any thread.
/// Full: Acquire answers nullopt. Worker dead or region replaced: Retire().
class FrameRegion {
 public:
  struct Options {
    std::uint64_t generation = 1;  // strictly increasing for one worker
    protocol::PixelFormat format = protocol::PixelFormat::kRgb8;
    std::uint32_t width = 0;  // input pixels
    std::uint32_t height = 0;
    std::optional<std::uint32_t> stride;  // input bytes per row; unset: RowBytes(format, width)
    std::uint32_t input_slots = 4;
    std::uint32_t output_slots = 4;
    /// Rounded up to pages; unset: as large as an input slot.
    std::optional<std::uint64_t> output_slot_bytes;
    std::function<void()> on_free;
  };

  /// kInvalidArgument names the field; kInternal: no memory.
  static Result<std::shared_ptr<FrameRegion>> Create(Options options);

  FrameRegion(const FrameRegion&) = delete;
  FrameRegion& operator=(const FrameRegion&) = delete;

  [[nodiscard]] const protocol::SharedMemory& memory() const { return memory_; }
  [[nodiscard]] const protocol::RegionLayout& layout() const { return layout_; }
  [[nodiscard]] std::uint64_t generation() const { return layout_.attach().generation; }

  /// The bytes of a slot (empty for a slot that does not exist). Valid as long as the region.
  [[nodiscard]] std::span<std::byte> input(std::uint32_t slot) const;
  [[nodiscard]] std::span<std::byte> output(std::uint32_t slot) const;

  /// kFree -> kWriting; nullopt: none is free, or the region is retired.
  std::optional<std::uint32_t> AcquireInput();
  std::optional<std::uint32_t> AcquireOutput();
  /// kWriting -> kSubmitted, both or neither. kInternal: a slot is not kWriting.
  Status MarkSubmitted(std::uint32_t input_slot, std::uint32_t output_slot);
  /// kSubmitted -> kDone, both or neither: the worker has answered. kInternal: not kSubmitted.
  Status MarkDone(std::uint32_t input_slot, std::uint32_t output_slot);
  /// kWriting or kDone -> kFree. kInternal, and nothing changes, for a free slot (double release)
  /// or one that the worker still holds.
  Status ReleaseInput(std::uint32_t slot);
  Status ReleaseOutput(std::uint32_t slot);

  /// The region will not be submitted to any more: Acquire answers nullopt from now on and what the
  /// worker held counts as kDone, so that its buffers can be dropped. The worker may still scribble
  /// on those slots until it is dead: do not publish them.
  void Retire();

  struct Counts {
    std::uint32_t free = 0, writing = 0, submitted = 0, done = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  [[nodiscard]] Counts input_counts() const;
  [[nodiscard]] Counts output_counts() const;

 private:
  using Slots = std::vector<SlotState>;
  FrameRegion(protocol::SharedMemory memory, const protocol::RegionLayout& layout,
              std::function<void()> on_free);
  std::optional<std::uint32_t> Acquire(Slots& slots);
  bool MoveBoth(std::uint32_t input_slot, std::uint32_t output_slot, SlotState from, SlotState to);
  Status Release(Slots& slots, std::uint32_t slot);

  const protocol::SharedMemory memory_;
  const protocol::RegionLayout layout_;
  const std::function<void()> on_free_;
  mutable std::mutex mutex_;
  Slots inputs_;
  Slots outputs_;
  bool retired_ = false;
};

}  // namespace framelock::host
