// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/media_output.h"

#include <gst/video/video.h>

#include <nlohmann/json.hpp>

#include "pipeline/stream/elements.h"
#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/pes_filler.h"

namespace framelock::stream {

namespace {

// The muxer rounds down to 90 kHz ticks. Half a tick on top makes it round to the nearest, so that
// the way from the input's pts to the output's adds the same constant to each frame.
constexpr gint64 kHalfTick = 5556;

constexpr guint kMostHeld = 4;  // frames; the last ones of two intervals, and room for noise

constexpr int kLeastSide = 2;  // of a 4:2:0 picture

// What to cut off a side so that it is even. One of a single pixel is scaled up instead.
int Excess(int side) { return side < kLeastSide ? 0 : side % 2; }

}  // namespace

Result<std::unique_ptr<MediaOutput>> MediaOutput::Create(const Options& options, GstBin* pipeline,
                                                         GstElement* from) {
  std::unique_ptr<MediaOutput> output(new MediaOutput(options.encoder.gop));
  if (const Status built = output->Build(options, pipeline, from); !built) return built.error();
  return output;
}

Status MediaOutput::AddSink(const Options& options, GstBin* pipeline) {
  Result<GstElement*> sink = options.url ? MakeSink(*options.url) : MakeElement("fakesink");
  if (!sink) return sink.error();
  sink_ = *sink;
  if (Status added = AddTo(pipeline, sink_); !added) return added;
  if (!options.url) g_object_set(sink_, "sync", FALSE, nullptr);
  return {};
}

Status MediaOutput::Build(const Options& options, GstBin* pipeline, GstElement* from) {
  if (Status added = AddSink(options, pipeline); !added) return added;
  Result<GstElement*> mux = AddElement(pipeline, "mpegtsmux");
  if (!mux) return mux.error();
  Result<GstElement*> encode = MakeH264Encoder(options.encoder);
  if (!encode) return encode.error();
  if (Status added = AddTo(pipeline, *encode); !added) return added;
  Result<GstElement*> even = AddElement(pipeline, "videocrop");
  if (!even) return even.error();
  even_ = *even;
  Result<GstElement*> convert = AddElement(pipeline, "videoconvertscale");
  if (!convert) return convert.error();
  Result<GstElement*> exit = AddExit(*encode, options, pipeline);
  if (!exit) return exit.error();
  if (gst_element_link_many(from, even_, *convert, *encode, nullptr) == 0 ||
      gst_element_link_many(*exit, *mux, sink_, nullptr) == 0) {
    return Error{ErrorCode::kInternal, "the output's elements do not link"};
  }
  Watch(from, *encode, *exit, options);
  if (options.audio == nullptr) return {};
  const PadPtr encoded(gst_element_get_static_pad(*exit, "src"));
  const PadPtr video(gst_pad_get_peer(encoded.get()));
  audio_.emplace(AudioOutput::Options{.line = options.audio,
                                      .muxer = *mux,
                                      .video = video.get(),
                                      .shift = std::chrono::nanoseconds(kHalfTick)});
  return {};
}

// Where encoded frames leave for the muxer: the encoder itself, or the place where they wait.
Result<GstElement*> MediaOutput::AddExit(GstElement* encode, const Options& options,
                                         GstBin* pipeline) {
  pace_ = options.pace;
  if (pace_ == nullptr) return encode;
  Result<GstElement*> queue = AddElement(pipeline, "queue");
  if (!queue) return queue;
  gst_object_set_name(GST_OBJECT(*queue), "output-pace");
  g_object_set(*queue, "max-size-buffers", kMostHeld, "max-size-bytes", 0, "max-size-time",
               guint64{0}, nullptr);
  const PadPtr exit(gst_element_get_static_pad(*queue, "src"));
  pace_->Watch(exit.get(), OutputPace::Step::kAwait);
  if (gst_element_link(encode, *queue) == 0) {
    return Error{ErrorCode::kInternal, "encoder and queue do not link"};
  }
  return queue;
}

void MediaOutput::Watch(GstElement* from, GstElement* encode, GstElement* exit,
                        const Options& options) {
  const PadPtr pictures(gst_element_get_static_pad(from, "src"));
  gst_pad_add_probe(pictures.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, &MediaOutput::OnCaps, this,
                    nullptr);
  const ElementPtr encoder(gst_bin_get_by_name(GST_BIN(encode), "encoder"));
  encoder_ = GST_OBJECT_NAME(gst_element_get_factory(encoder.get()));
  const PadPtr entry(gst_element_get_static_pad(encoder.get(), "sink"));
  gst_pad_add_probe(entry.get(), GST_PAD_PROBE_TYPE_BUFFER, &MediaOutput::OnPicture, this, nullptr);
  const ElementPtr parser(gst_bin_get_by_name(GST_BIN(encode), "parser"));
  const PadPtr parsed(gst_element_get_static_pad(parser.get(), "src"));
  gst_pad_set_offset(parsed.get(), kHalfTick);
  InstallPesFiller(parsed.get());
  if (pace_ != nullptr) {
    pace_->Watch(pictures.get(), OutputPace::Step::kMade);
    pace_->Watch(parsed.get(), OutputPace::Step::kEncoded);
  }
  const PadPtr left(gst_element_get_static_pad(exit, "src"));
  if (options.departures != nullptr) options.departures->Watch(pictures.get(), left.get());
  LatencyTrace* trace = options.trace;
  if (trace == nullptr) return;
  trace->Watch(parsed.get(), LatencyTrace::Hop::kEncode);
  trace->Watch(left.get(), LatencyTrace::Hop::kHold);
  const PadPtr published(gst_element_get_static_pad(sink_, "sink"));
  trace->Watch(published.get(), LatencyTrace::Hop::kPublish);
}

GstPadProbeReturn MediaOutput::OnCaps(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  GstVideoInfo video;
  if (gst_video_info_from_caps(&video, caps) == 0) return GST_PAD_PROBE_OK;
  g_object_set(static_cast<MediaOutput*>(self)->even_, "right", Excess(video.width), "bottom",
               Excess(video.height), nullptr);
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn MediaOutput::OnPicture(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  KeyFrameCadence& cadence = static_cast<MediaOutput*>(self)->cadence_;
  if (GST_CLOCK_TIME_IS_VALID(pts) && cadence.Due(std::chrono::nanoseconds(pts))) {
    gst_pad_send_event(
        pad, gst_video_event_new_downstream_force_key_unit(GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                                                           GST_CLOCK_TIME_NONE, TRUE, 0));
  }
  return GST_PAD_PROBE_OK;
}

void MediaOutput::Stop() {
  if (pace_ != nullptr) pace_->Stop();
  if (!audio_) return;
  // Not to be woken up again with the pipeline, should that still be starting.
  gst_element_set_locked_state(sink_, TRUE);
  gst_element_set_state(sink_, GST_STATE_NULL);
  audio_->Stop();
}

nlohmann::json MediaOutput::Stats() const {
  nlohmann::json stats = ReadStats(sink_);
  stats["encoder"] = encoder_;
  return stats;
}

}  // namespace framelock::stream
