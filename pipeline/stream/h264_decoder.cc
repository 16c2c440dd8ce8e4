// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/h264_decoder.h"

namespace framelock::stream {

namespace {

Result<GstElement*> Make(Hardware hardware) {
  // One thread: frame threads hold pictures back. A picture with missing references is dropped and
  // counted, never shown as if it were whole.
  const CodecElement software{
      "avdec_h264",
      {{"max-threads", "1"}, {"qos", "false"}, {"output-corrupt", "false"}, {"max-errors", "-1"}}};
  if (hardware == Hardware::kNever) return MakeCodec({}, software);
  const std::pair<const char*, std::string> no_qos{"qos", "false"};
  const CodecElement devices[] = {{"nvh264dec", {no_qos}},
                                  {"vah264dec", {no_qos}},
                                  {"vaapih264dec", {no_qos, {"low-latency", "true"}}},
                                  {"v4l2h264dec", {no_qos}}};
  return MakeCodec(devices, software);
}

}  // namespace

Result<GstElement*> MakeH264Decoder(Hardware hardware) {
  Result<GstElement*> decoder = Make(hardware);
  if (decoder) gst_object_set_name(GST_OBJECT(*decoder), "decoder");
  return decoder;
}

}  // namespace framelock::stream
