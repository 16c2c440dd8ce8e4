// SPDX-License-Identifier: Apache-2.0
#include "workers/protocol/message_codec.h"
#include "workers/protocol/shared_region.h"

namespace framelock::protocol {

namespace {

Error BadField(const char* name, const char* reason) {
  return Error{ErrorCode::kProtocol, std::string("attach: ") + name + " " + reason};
}

Status CheckSlotBytes(const char* name, std::uint64_t bytes) {
  if (bytes == 0 || bytes % 4096 != 0) return BadField(name, "is not a positive multiple of 4096");
  if (bytes > kMaxRegionBytes) return BadField(name, "exceeds the largest region");
  return {};
}

Status CheckPicture(const Attach& attach) {
  if (attach.format != PixelFormat::kRgb8 && attach.format != PixelFormat::kRgba8) {
    return BadField("format", "is unknown");
  }
  if (attach.width == 0 || attach.width > kMaxDimension) {
    return BadField("width", "is not within 1 to 16384");
  }
  if (attach.height == 0 || attach.height > kMaxDimension) {
    return BadField("height", "is not within 1 to 16384");
  }
  if (attach.stride < attach.width * BytesPerPixel(attach.format)) {
    return BadField("stride", "is smaller than a row");
  }
  if (std::uint64_t{attach.stride} * attach.height > attach.input_slot_bytes) {
    return BadField("input_slot_bytes", "is smaller than a frame");
  }
  return {};
}

}  // namespace

Result<RegionLayout> RegionLayout::FromAttach(const Attach& attach) {
  if (auto ok = CheckSlotBytes("input_slot_bytes", attach.input_slot_bytes); !ok) return ok.error();
  if (auto ok = CheckSlotBytes("output_slot_bytes", attach.output_slot_bytes); !ok) {
    return ok.error();
  }
  if (attach.input_slots == 0 || attach.input_slots > kMaxSlots) {
    return BadField("input_slots", "is not within 1 to 32");
  }
  if (attach.output_slots == 0 || attach.output_slots > kMaxSlots) {
    return BadField("output_slots", "is not within 1 to 32");
  }
  if (auto ok = CheckPicture(attach); !ok) return ok.error();
  // Cannot overflow: both factors are bounded above.
  const std::uint64_t sum =
      attach.input_slot_bytes * attach.input_slots + attach.output_slot_bytes * attach.output_slots;
  if (sum != attach.region_bytes) return BadField("region_bytes", "is not the sum of the slots");
  if (sum > kMaxRegionBytes) return BadField("region_bytes", "exceeds the largest region");
  return RegionLayout(attach);
}

std::uint64_t RegionLayout::input_offset(std::uint32_t slot) const {
  return attach_.input_slot_bytes * slot;
}

std::uint64_t RegionLayout::output_offset(std::uint32_t slot) const {
  return attach_.input_slot_bytes * attach_.input_slots + attach_.output_slot_bytes * slot;
}

}  // namespace framelock::protocol
