// SPDX-License-Identifier: Apache-2.0
#include "workers/host/frame_region.h"

#include <algorithm>
#include <string>
#include <utility>

#include "workers/protocol/message_codec.h"

namespace framelock::host {

namespace {

protocol::Attach Describe(const FrameRegion::Options& options) {
  // Bounded before it is multiplied; FromAttach names the field that is out of range.
  const std::uint32_t width = std::min(options.width, protocol::kMaxDimension + 1);
  protocol::Attach attach{.format = options.format,
                          .generation = options.generation,
                          .input_slots = options.input_slots,
                          .output_slots = options.output_slots,
                          .width = width,
                          .height = options.height};
  attach.stride = options.stride.value_or(protocol::RowBytes(options.format, width));
  attach.input_slot_bytes = protocol::SlotBytes(std::uint64_t{attach.stride} * attach.height);
  attach.output_slot_bytes =
      protocol::SlotBytes(options.output_slot_bytes.value_or(attach.input_slot_bytes));
  attach.region_bytes =
      attach.input_slot_bytes * attach.input_slots + attach.output_slot_bytes * attach.output_slots;
  return attach;
}

FrameRegion::Counts CountStates(const std::vector<SlotState>& slots) {
  FrameRegion::Counts counts;
  for (const SlotState state : slots) {
    switch (state) {
      case SlotState::kFree:
        ++counts.free;
        break;
      case SlotState::kWriting:
        ++counts.writing;
        break;
      case SlotState::kSubmitted:
        ++counts.submitted;
        break;
      case SlotState::kDone:
        ++counts.done;
        break;
    }
  }
  return counts;
}

Error WrongState(const char* what, std::uint32_t input_slot, std::uint32_t output_slot) {
  return Error{ErrorCode::kInternal, std::string(what) + ": input slot " +
                                         std::to_string(input_slot) + " or output slot " +
                                         std::to_string(output_slot) + " is in another state"};
}

}  // namespace

FrameRegion::FrameRegion(protocol::SharedMemory memory, const protocol::RegionLayout& layout,
                         std::function<void()> on_free)
    : memory_(std::move(memory)),
      layout_(layout),
      on_free_(std::move(on_free)),
      inputs_(layout.attach().input_slots, SlotState::kFree),
      outputs_(layout.attach().output_slots, SlotState::kFree) {}

Result<std::shared_ptr<FrameRegion>> FrameRegion::Create(Options options) {
  auto layout = protocol::RegionLayout::FromAttach(Describe(options));
  if (!layout) return Error{ErrorCode::kInvalidArgument, layout.error().message};
  auto memory = protocol::SharedMemory::Create("framelock-frames", layout->region_bytes());
  if (!memory) return memory.error();
  return std::shared_ptr<FrameRegion>(
      new FrameRegion(std::move(*memory), *layout, std::move(options.on_free)));
}

std::span<std::byte> FrameRegion::input(std::uint32_t slot) const {
  if (slot >= layout_.attach().input_slots) return {};
  return memory_.bytes().subspan(layout_.input_offset(slot), layout_.attach().input_slot_bytes);
}

std::span<std::byte> FrameRegion::output(std::uint32_t slot) const {
  if (slot >= layout_.attach().output_slots) return {};
  return memory_.bytes().subspan(layout_.output_offset(slot), layout_.attach().output_slot_bytes);
}

std::optional<std::uint32_t> FrameRegion::AcquireInput() { return Acquire(inputs_); }
std::optional<std::uint32_t> FrameRegion::AcquireOutput() { return Acquire(outputs_); }

std::optional<std::uint32_t> FrameRegion::Acquire(Slots& slots) {
  const std::lock_guard lock(mutex_);
  if (retired_) return std::nullopt;
  const auto free = std::ranges::find(slots, SlotState::kFree);
  if (free == slots.end()) return std::nullopt;
  *free = SlotState::kWriting;
  return static_cast<std::uint32_t>(free - slots.begin());
}

Status FrameRegion::MarkSubmitted(std::uint32_t input_slot, std::uint32_t output_slot) {
  if (!MoveBoth(input_slot, output_slot, SlotState::kWriting, SlotState::kSubmitted)) {
    return WrongState("submit", input_slot, output_slot);
  }
  return {};
}

Status FrameRegion::MarkDone(std::uint32_t input_slot, std::uint32_t output_slot) {
  if (!MoveBoth(input_slot, output_slot, SlotState::kSubmitted, SlotState::kDone)) {
    return WrongState("done", input_slot, output_slot);
  }
  return {};
}

bool FrameRegion::MoveBoth(std::uint32_t input_slot, std::uint32_t output_slot, SlotState from,
                           SlotState to) {
  const std::lock_guard lock(mutex_);
  if (retired_ || input_slot >= inputs_.size() || output_slot >= outputs_.size() ||
      inputs_[input_slot] != from || outputs_[output_slot] != from) {
    return false;
  }
  inputs_[input_slot] = to;
  outputs_[output_slot] = to;
  return true;
}

Status FrameRegion::ReleaseInput(std::uint32_t slot) { return Release(inputs_, slot); }
Status FrameRegion::ReleaseOutput(std::uint32_t slot) { return Release(outputs_, slot); }

Status FrameRegion::Release(Slots& slots, std::uint32_t slot) {
  {
    const std::lock_guard lock(mutex_);
    if (slot >= slots.size() || slots[slot] == SlotState::kFree ||
        slots[slot] == SlotState::kSubmitted) {
      return Error{ErrorCode::kInternal, "release: slot " + std::to_string(slot) +
                                             " is free already or still with the worker"};
    }
    slots[slot] = SlotState::kFree;
  }
  if (on_free_) on_free_();
  return {};
}

void FrameRegion::Retire() {
  const std::lock_guard lock(mutex_);
  retired_ = true;
  std::ranges::replace(inputs_, SlotState::kSubmitted, SlotState::kDone);
  std::ranges::replace(outputs_, SlotState::kSubmitted, SlotState::kDone);
}

FrameRegion::Counts FrameRegion::input_counts() const {
  const std::lock_guard lock(mutex_);
  return CountStates(inputs_);
}

FrameRegion::Counts FrameRegion::output_counts() const {
  const std::lock_guard lock(mutex_);
  return CountStates(outputs_);
}

}  // namespace framelock::host
