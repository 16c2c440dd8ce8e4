// SPDX-License-Identifier: Apache-2.0
#include "plugins/slot_lease.h"

#include <utility>

namespace framelock::plugins {

SlotLease::SlotLease(std::shared_ptr<host::FrameRegion> region, Side side, std::uint32_t slot)
    : region_(std::move(region)),
      side_(side),
      slot_(slot),
      bytes_(side == Side::kInput ? region_->input(slot) : region_->output(slot)) {}

std::unique_ptr<SlotLease> SlotLease::TakeInput(std::shared_ptr<host::FrameRegion> region) {
  const auto slot = region->AcquireInput();
  if (!slot) return nullptr;
  return std::unique_ptr<SlotLease>(new SlotLease(std::move(region), Side::kInput, *slot));
}

std::unique_ptr<SlotLease> SlotLease::TakeOutput(std::shared_ptr<host::FrameRegion> region) {
  const auto slot = region->AcquireOutput();
  if (!slot) return nullptr;
  return std::unique_ptr<SlotLease>(new SlotLease(std::move(region), Side::kOutput, *slot));
}

SlotLease::~SlotLease() {
  // Refused only for a slot that the worker still holds, and the owner of the line keeps such a
  // lease until the answer came or the region was retired.
  [[maybe_unused]] const Status released =
      side_ == Side::kInput ? region_->ReleaseInput(slot_) : region_->ReleaseOutput(slot_);
}

std::optional<std::uint32_t> InputSlotAt(const host::FrameRegion& region, const std::byte* pixels) {
  const auto& attach = region.layout().attach();
  const std::byte* first = region.input(0).data();
  if (pixels < first) return std::nullopt;
  const auto distance = static_cast<std::uint64_t>(pixels - first);
  if (distance % attach.input_slot_bytes != 0) return std::nullopt;
  const std::uint64_t slot = distance / attach.input_slot_bytes;
  if (slot >= attach.input_slots) return std::nullopt;
  return static_cast<std::uint32_t>(slot);
}

}  // namespace framelock::plugins
