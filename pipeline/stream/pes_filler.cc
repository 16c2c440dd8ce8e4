// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/pes_filler.h"

#include <algorithm>
#include <array>

namespace framelock::stream {

namespace {

constexpr std::size_t kPacketPayload = 184;
// Below, PES packets have their length, whatever else is in their headers.
constexpr std::size_t kUntoldBytes = 65'000;
// PES header with pts alone, and with dts.
constexpr std::array<std::size_t, 2> kHeaders = {14, 19};
// Adaptation field of the first packet: none, flags, flags and PCR.
constexpr std::array<std::size_t, 3> kAdaptations = {0, 2, 8};

bool MayEndOnAnEdge(std::size_t bytes) {
  return std::any_of(kHeaders.begin(), kHeaders.end(), [bytes](std::size_t header) {
    return std::any_of(kAdaptations.begin(), kAdaptations.end(), [=](std::size_t adaptation) {
      return (bytes + header + adaptation) % kPacketPayload == 0;
    });
  });
}

GstPadProbeReturn Fill(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer /*data*/) {
  GstBuffer* unit = GST_PAD_PROBE_INFO_BUFFER(info);
  const std::size_t filler = FillerBytes(gst_buffer_get_size(unit));
  if (filler == 0) return GST_PAD_PROBE_OK;
  GstMemory* zeros = gst_allocator_alloc(nullptr, filler, nullptr);
  GstMapInfo map;
  gst_memory_map(zeros, &map, GST_MAP_WRITE);
  std::fill_n(map.data, map.size, guint8{0});
  gst_memory_unmap(zeros, &map);
  unit = gst_buffer_make_writable(unit);
  gst_buffer_append_memory(unit, zeros);
  GST_PAD_PROBE_INFO_DATA(info) = unit;
  return GST_PAD_PROBE_OK;
}

}  // namespace

std::size_t FillerBytes(std::size_t access_unit_bytes) {
  if (access_unit_bytes < kUntoldBytes) return 0;
  std::size_t filler = 0;
  while (MayEndOnAnEdge(access_unit_bytes + filler)) ++filler;
  return filler;
}

void InstallPesFiller(GstPad* pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &Fill, nullptr, nullptr);
}

}  // namespace framelock::stream
