// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/access_units.h"

#include <utility>

#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/pes_ends.h"

namespace framelock::stream {

static_assert(AccessUnitCutter::kNoTime == GST_CLOCK_TIME_NONE);

namespace {

bool Holds(GstBuffer* pes, const PesEnds::Mark& mark) {
  return gst_buffer_get_size(pes) == mark.size() &&
         gst_buffer_memcmp(pes, 0, mark.data(), mark.size()) == 0;
}

}  // namespace

AccessUnits::AccessUnits(GstPad* pad, std::function<void()> on_torn)
    : pad_(pad), on_torn_(std::move(on_torn)) {}

void AccessUnits::Install(GstPad* pad, std::function<void()> on_torn) {
  gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_BOTH |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      &AccessUnits::OnData, new AccessUnits(pad, std::move(on_torn)),
      [](gpointer self) { delete static_cast<AccessUnits*>(self); });
}

GstPadProbeReturn AccessUnits::OnData(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* units = static_cast<AccessUnits*>(self);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    return units->OnBuffer(info);
  }
  return units->OnEvent(GST_PAD_PROBE_INFO_EVENT(info));
}

GstPadProbeReturn AccessUnits::OnBuffer(GstPadProbeInfo* info) {
  GstBuffer* pes = GST_PAD_PROBE_INFO_BUFFER(info);
  if (gst_buffer_get_size(pes) == 0) return GST_PAD_PROBE_DROP;
  const bool seam = Holds(pes, PesEnds::kSeamMark);
  if (seam || Holds(pes, PesEnds::kNextMark)) {
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = Forward(seam ? cutter_.Seam() : cutter_.Next());
    hole_ = hole_ || seam;
    gst_buffer_unref(pes);
    GST_PAD_PROBE_INFO_DATA(info) = nullptr;
    return GST_PAD_PROBE_HANDLED;
  }
  const bool mark = Holds(pes, PesEnds::kHoleMark);
  const bool hole = mark || GST_BUFFER_FLAG_IS_SET(pes, GST_BUFFER_FLAG_DISCONT);
  if (hole) cutter_.Clear();  // its end is missing
  if (mark) {
    hole_ = true;
    return GST_PAD_PROBE_DROP;
  }
  GstMapInfo map;
  if (gst_buffer_map(pes, &map, GST_MAP_READ) == 0) return GST_PAD_PROBE_DROP;
  AccessUnitCutter::Cut cut =
      cutter_.Push({map.data, map.size}, {GST_BUFFER_PTS(pes), GST_BUFFER_DTS(pes)});
  gst_buffer_unmap(pes, &map);
  if (cut.pes == AccessUnitCutter::Pes::kTorn) on_torn_();
  const bool unit = cut.pes == AccessUnitCutter::Pes::kUnit;
  hole_ = hole_ || (hole && !unit);
  const GstFlowReturn flow = Forward(std::move(cut.units));
  if (unit && flow == GST_FLOW_OK) {
    if (std::exchange(hole_, false)) {
      pes = gst_buffer_make_writable(pes);
      GST_BUFFER_FLAG_SET(pes, GST_BUFFER_FLAG_DISCONT);
      GST_PAD_PROBE_INFO_DATA(info) = pes;
    }
    return GST_PAD_PROBE_OK;
  }
  gst_buffer_unref(pes);
  GST_PAD_PROBE_INFO_DATA(info) = nullptr;
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
  return GST_PAD_PROBE_HANDLED;
}

GstPadProbeReturn AccessUnits::OnEvent(const GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_STOP:
      cutter_.Clear();
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_EOS:
      Forward(cutter_.Finish());
      break;
    default:
      break;
  }
  return GST_PAD_PROBE_OK;
}

// Not by a push: that would come back here, and is refused once the end is on the pad.
GstFlowReturn AccessUnits::Forward(std::vector<AccessUnitCutter::Unit> units) {
  const PadPtr peer(gst_pad_get_peer(pad_));
  GstFlowReturn flow = peer ? GST_FLOW_OK : GST_FLOW_NOT_LINKED;
  for (const AccessUnitCutter::Unit& unit : units) {
    if (flow != GST_FLOW_OK) break;
    GstBuffer* buffer = gst_buffer_new_memdup(unit.bytes.data(), unit.bytes.size());
    GST_BUFFER_PTS(buffer) = unit.times.pts;
    GST_BUFFER_DTS(buffer) = unit.times.dts;
    if (std::exchange(hole_, false)) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    flow = gst_pad_chain(peer.get(), buffer);
  }
  return flow;
}

}  // namespace framelock::stream
