// SPDX-License-Identifier: Apache-2.0
// The WebSocket door's way from bytes to segments: any bytes, split anywhere.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "trickle/relay/ts_cutter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using framelock::relay::TsCutter;
  auto rest = std::as_bytes(std::span(data, size));
  if (rest.empty()) return 0;
  const std::size_t step = 1 + std::to_integer<std::size_t>(rest[0]) * 3;
  TsCutter cutter({.min_segment_duration = std::chrono::milliseconds(100)});
  std::size_t out = 0;
  while (!rest.empty()) {
    const auto part = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(part.size());
    for (const auto& piece : cutter.Push(part)) {
      if (piece.bytes.size() % framelock::kTsPacketBytes != 0) std::abort();
      out += piece.bytes.size();
    }
  }
  // Tables are repeated before each keyframe, so that what comes out is bounded by what came in.
  if (cutter.dropped_bytes() > size || out > size * 18) std::abort();
  return 0;
}
