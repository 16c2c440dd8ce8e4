// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/h264_encoder.h"

#include <algorithm>

#include "pipeline/stream/elements.h"
#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

namespace {

constexpr int kPixelsPerThread = 1280 * 720;
constexpr int kMaxThreads = 4;
constexpr int kMaxFps = 60;

// Pictures that H.264 in 4:2:0 can carry, in the formats that encoders take without another
// conversion.
constexpr char kPictures[] =
    "video/x-raw,format={I420,NV12},width=[2,2147483647],height=[2,2147483647]";

// Keyframes come when they are asked for; this only bounds what a lost request could cost.
std::string LongestGop(const H264EncoderOptions& options) {
  return std::to_string(options.gop.count() * kMaxFps * 2);
}

std::string Threads(const H264EncoderOptions& options) {
  return std::to_string(std::min(1 + options.pixels / (kPixelsPerThread + 1), kMaxThreads));
}

CodecElement Software(const H264EncoderOptions& options) {
  if (options.name == "openh264") {
    return {"openh264enc",
            {{"complexity", "low"},
             {"rate-control", "bitrate"},
             {"bitrate", std::to_string(options.bitrate_kbps * 1000LL)},
             {"gop-size", LongestGop(options)},
             {"scene-change-detection", "false"},
             {"enable-frame-skip", "false"},  // each picture has its access unit
             {"slice-mode", "n-slices"},
             {"num-slices", Threads(options)},
             {"multi-thread", Threads(options)}}};
  }
  return {"x264enc",
          {{"tune", "zerolatency"},
           {"speed-preset", "superfast"},
           {"bframes", "0"},
           {"option-string", "scenecut=0"},
           {"bitrate", std::to_string(options.bitrate_kbps)},
           {"threads", Threads(options)},
           {"key-int-max", LongestGop(options)}}};
}

std::vector<CodecElement> InHardware(const H264EncoderOptions& options) {
  if (options.hardware == Hardware::kNever) return {};
  const std::string kbps = std::to_string(options.bitrate_kbps);
  const std::string gop = LongestGop(options);
  const std::string controls =
      "controls,video_bitrate=" + std::to_string(options.bitrate_kbps * 1000LL) +
      ",video_b_frames=0,repeat_sequence_header=1,h264_i_frame_period=" + gop;
  const std::vector<std::pair<const char*, std::string>> va = {
      {"rate-control", "cbr"}, {"bitrate", kbps},   {"key-int-max", gop},
      {"b-frames", "0"},       {"ref-frames", "1"}, {"target-usage", "7"}};
  return {{"nvh264enc",
           {{"preset", "low-latency-hq"},
            {"zerolatency", "true"},
            {"rc-mode", "cbr"},
            {"rc-lookahead", "0"},
            {"bframes", "0"},
            {"bitrate", kbps},
            {"gop-size", gop}}},
          {"vah264enc", va},
          {"vah264lpenc", va},
          {"vaapih264enc",
           {{"rate-control", "cbr"},
            {"bitrate", kbps},
            {"max-bframes", "0"},
            {"keyframe-period", gop}}},
          {"v4l2h264enc", {{"extra-controls", controls}}}};
}

}  // namespace

Result<GstElement*> MakeH264Encoder(const H264EncoderOptions& options) {
  Result<GstElement*> pictures = MakeElement("capsfilter");
  if (!pictures) return pictures;
  gst_util_set_object_arg(G_OBJECT(*pictures), "caps", kPictures);
  Result<GstElement*> encoder = MakeCodec(InHardware(options), Software(options));
  Result<GstElement*> parser = MakeElement("h264parse");
  if (encoder) gst_object_set_name(GST_OBJECT(*encoder), "encoder");
  if (parser) {
    gst_object_set_name(GST_OBJECT(*parser), "parser");
    g_object_set(*parser, "config-interval", -1, nullptr);
  }
  return MakeRow({pictures, encoder, parser});
}

}  // namespace framelock::stream
