// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "workers/host/frame_region.h"

namespace framelock::plugins {

/// One taken slot of a region; the destructor frees it. Keeps the region alive, so a media buffer
/// that wraps the slot may outlive everything else. Any thread.
class SlotLease {
 public:
  /// Null: no slot is free, or the region is retired.
  static std::unique_ptr<SlotLease> TakeInput(std::shared_ptr<host::FrameRegion> region);
  static std::unique_ptr<SlotLease> TakeOutput(std::shared_ptr<host::FrameRegion> region);
  ~SlotLease();
  SlotLease(const SlotLease&) = delete;
  SlotLease& operator=(const SlotLease&) = delete;

  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] host::FrameRegion& region() const { return *region_; }

 private:
  enum class Side : std::uint8_t { kInput, kOutput };
  SlotLease(std::shared_ptr<host::FrameRegion> region, Side side, std::uint32_t slot);

  const std::shared_ptr<host::FrameRegion> region_;
  const Side side_;
  const std::uint32_t slot_;
  const std::span<std::byte> bytes_;
};

/// The input slot that begins at `pixels`; nullopt: none does.
std::optional<std::uint32_t> InputSlotAt(const host::FrameRegion& region, const std::byte* pixels);

}  // namespace framelock::plugins
