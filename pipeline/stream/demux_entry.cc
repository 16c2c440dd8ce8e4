// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/demux_entry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

namespace {

constexpr auto kNoData =
    static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS);

}  // namespace

GstPadProbeReturn DemuxEntry::OnBuffer(GstPad* pad, GstPadProbeInfo* info) {
  GstBuffer* bytes = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_FLAG_IS_SET(bytes, GST_BUFFER_FLAG_DISCONT) ||
      GST_BUFFER_FLAG_IS_SET(bytes, GST_BUFFER_FLAG_RESYNC)) {
    feed_.Restart();
    options_.on_hole();
  }
  GstMapInfo map;
  if (gst_buffer_map(bytes, &map, GST_MAP_READ) == 0) return GST_PAD_PROBE_OK;
  std::vector<std::uint8_t> packets;
  const std::vector<std::size_t> holes =
      feed_.Push(std::as_bytes(std::span(map.data, map.size)), options_.clock->Now(), packets);
  gst_buffer_unmap(bytes, &map);
  // What comes in front of a hole goes on before the gate hears of it.
  const PadPtr demuxer(gst_pad_get_peer(pad));
  GstFlowReturn flow = GST_FLOW_OK;
  std::size_t begin = 0;
  for (const std::size_t hole : holes) {
    GstBuffer* part = MakeBuffer(bytes, std::span(packets).subspan(begin, hole - begin));
    if (part != nullptr) flow = std::min(flow, gst_pad_chain(demuxer.get(), part));
    options_.on_hole();
    begin = hole;
  }
  GstBuffer* rest = MakeBuffer(bytes, std::span(packets).subspan(begin));
  gst_buffer_unref(bytes);
  GST_PAD_PROBE_INFO_DATA(info) = rest;
  if (rest != nullptr) return GST_PAD_PROBE_OK;
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
  return GST_PAD_PROBE_HANDLED;
}

// Null: nothing of these packets is for the demuxer.
GstBuffer* DemuxEntry::MakeBuffer(GstBuffer* like, std::span<const std::uint8_t> whole_packets) {
  std::vector<std::uint8_t> packets(whole_packets.begin(), whole_packets.end());
  lanes_.Rewrite(packets);
  options_.on_audio(lanes_.lane());
  if (packets.empty()) return nullptr;
  if (options_.trace != nullptr) Trace(packets);
  GstBuffer* buffer = gst_buffer_new_memdup(packets.data(), packets.size());
  gst_buffer_copy_into(buffer, like, kNoData, 0, static_cast<gsize>(-1));
  // tsdemux loses its clock over one now and then; holes are marked in the stream.
  if (watches_) GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

void DemuxEntry::Trace(std::span<const std::uint8_t> packets) const {
  const SteadyTime now = Clock::System().Now();
  for (std::size_t at = 0; at + kTsPacketBytes <= packets.size(); at += kTsPacketBytes) {
    TsPacket packet;
    std::copy_n(packets.data() + at, packet.size(), packet.data());
    const std::optional<PesStamps> stamps = ReadPesStamps(packet);
    if (stamps && stamps->is_video()) {
      options_.trace->OnPes(TsHeader(packet).pid(), stamps->pts, now);
    }
  }
}

}  // namespace framelock::stream
