// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/audio_input.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/stream/elements.h"

namespace framelock::stream {

namespace {

constexpr char kBranchName[] = "audio", kEncoderName[] = "audio-back";

// A queue with a thread of its own, which drops rather than waits: decoding must not hold up the
// video.
constexpr char kApart[] =
    "queue name=audio-decode leaky=downstream max-size-buffers=0 max-size-bytes=1048576 "
    "max-size-time=1000000000 ! ";
constexpr char kToOpus[] =
    " max-errors=-1 ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 ! "
    "opusenc bitrate=96000";
// What a worker takes, and what becomes of what it gives.
constexpr char kToGraph[] =
    " max-errors=-1 ! audioconvert ! audioresample ! "
    "capsfilter caps=audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
constexpr char kFromGraph[] =
    "queue name=audio-encode leaky=downstream max-size-buffers=0 max-size-bytes=4194304 "
    "max-size-time=0 ! "
    "opusenc bitrate=64000";
constexpr char kExit[] = " ! fakesink name=exit sync=false async=false";

struct Route {
  std::string elements;      // from what the demuxer gives to what the muxer takes
  CapsPtr format = nullptr;  // as far as it is known before the first unit
};

Route Through(const char* parser, const std::string& format) {
  return {parser + (" ! " + format), CapsPtr(gst_caps_from_string(format.c_str()))};
}

Route Decoded(const char* decoder) { return {kApart + (decoder + std::string(kToOpus))}; }

std::optional<Route> RouteFor(GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(structure);
  if (name == "audio/x-opus") return Route{"opusparse", CapsPtr(gst_caps_ref(caps))};
  if (name == "audio/x-ac3") return Through("ac3parse", "audio/x-ac3,framed=true");
  if (name == "audio/x-eac3") return Decoded("ac3parse ! avdec_eac3");
  if (name == "audio/x-dts") return Decoded("dcaparse ! avdec_dca");
  if (name != "audio/mpeg") return std::nullopt;
  gint version = 0;
  gst_structure_get_int(structure, "mpegversion", &version);
  if (version == 1) return Through("mpegaudioparse", "audio/mpeg,mpegversion=1,parsed=true");
  const gchar* format = gst_structure_get_string(structure, "stream-format");
  if (format == nullptr || std::string_view(format) != "adts") {
    return Decoded("aacparse ! avdec_aac_latm");
  }
  return Through("aacparse", "audio/mpeg,mpegversion={2,4},framed=true,stream-format=adts");
}

std::optional<Route> RouteThrough(GstCaps* caps) {
  const auto decoded = [](const char* decoder) {
    return Route{kApart + (decoder + std::string(kToGraph))};
  };
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(structure);
  if (name == "audio/x-opus") return decoded("opusparse ! opusdec");
  if (name == "audio/x-ac3") return decoded("ac3parse ! avdec_ac3");
  if (name == "audio/x-eac3") return decoded("ac3parse ! avdec_eac3");
  if (name == "audio/x-dts") return decoded("dcaparse ! avdec_dca");
  if (name != "audio/mpeg") return std::nullopt;
  gint version = 0;
  gst_structure_get_int(structure, "mpegversion", &version);
  if (version == 1) return decoded("mpegaudioparse ! avdec_mp3float");
  const gchar* format = gst_structure_get_string(structure, "stream-format");
  const bool adts = format != nullptr && std::string_view(format) == "adts";
  return decoded(adts ? "aacparse ! avdec_aac" : "aacparse ! avdec_aac_latm");
}

Result<GstElement*> MakePart(const std::string& elements, const char* name) {
  Result<GstElement*> part = MakeChain(elements);
  if (!part) return part;
  gst_object_set_name(GST_OBJECT(*part), name);
  // The stream's end must not wait for it.
  GST_OBJECT_FLAG_UNSET(*part, GST_ELEMENT_FLAG_SINK);
  return part;
}

}  // namespace

Status AudioInput::Start(GstPad* pad, Way way) {
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  if (!caps || gst_caps_is_empty(caps.get())) {
    return Error{ErrorCode::kProtocol, "a track without a format"};
  }
  const bool through = way == Way::kThrough;
  std::optional<Route> route = through ? RouteThrough(caps.get()) : RouteFor(caps.get());
  if (!route) return Error{ErrorCode::kProtocol, "no decoder is known for it"};
  Result<GstElement*> branch = MakePart(
      "errorignore convert-to=ok ! " + route->elements + (through ? "" : kExit), kBranchName);
  if (!branch) return branch.error();
  if (Status added = AddTo(pipeline_, *branch); !added) return added;
  branch_ = *branch;
  pad_ = pad;
  if (through) {
    if (Status linked = LinkThrough(); !linked) {
      Stop();
      return linked;
    }
  }
  const ElementPtr exit(gst_bin_get_by_name(GST_BIN(through ? encoder_ : branch_), "exit"));
  const PadPtr units(gst_element_get_static_pad(exit.get(), "sink"));
  gst_pad_add_probe(units.get(), GST_PAD_PROBE_TYPE_BUFFER, &AudioInput::OnUnit, this, nullptr);
  if (route->format) route->format.reset(gst_caps_fixate(route->format.release()));
  line_->Open(std::move(route->format));
  gst_element_sync_state_with_parent(branch_);
  const PadPtr entry(gst_element_get_static_pad(branch_, "sink"));
  gst_pad_add_probe(
      entry.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      &AudioInput::OnEntry, this, nullptr);
  if (gst_pad_link(pad, entry.get()) != GST_PAD_LINK_OK) {
    Stop();
    return Error{ErrorCode::kInternal, "its elements do not link"};
  }
  spdlog::info("input audio is {}{}", gst_structure_get_name(gst_caps_get_structure(caps.get(), 0)),
               through ? ", it goes through the graph" : "");
  return {};
}

// The filter stands between two parts.
Status AudioInput::LinkThrough() {
  Result<GstElement*> encoder = MakePart(std::string(kFromGraph) + kExit, kEncoderName);
  if (!encoder) return encoder.error();
  if (Status added = AddTo(pipeline_, *encoder); !added) return added;
  encoder_ = *encoder;
  if (!entry_) entry_.reset(gst_element_request_pad_simple(filter_, "audio_sink"));
  if (gst_element_link_pads(filter_, "audio_src", encoder_, "sink") == 0 ||
      gst_element_link_pads(branch_, "src", filter_, "audio_sink") == 0) {
    return Error{ErrorCode::kInternal, "its elements and the worker's do not link"};
  }
  gst_element_sync_state_with_parent(encoder_);
  return {};
}

void AudioInput::Remove(GstElement*& branch) {
  if (branch == nullptr) return;
  const ElementPtr kept(GST_ELEMENT(gst_object_ref(branch)));
  gst_element_set_state(branch, GST_STATE_NULL);
  gst_bin_remove(pipeline_, branch);
  branch = nullptr;
}

void AudioInput::Stop() {
  if (branch_ == nullptr) return;
  const PadPtr entry(gst_element_get_static_pad(branch_, "sink"));
  if (gst_pad_is_linked(pad_) != 0) gst_pad_unlink(pad_, entry.get());
  Remove(branch_);
  Remove(encoder_);
  pad_ = nullptr;
  line_->Close();
  spdlog::info("input audio ends");
}

// From here on times are running times.
GstPadProbeReturn AudioInput::OnEntry(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* input = static_cast<AudioInput*>(self);
  const GstPadProbeType type = GST_PAD_PROBE_INFO_TYPE(info);
  if ((type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    GstBufferList* list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    GST_PAD_PROBE_INFO_DATA(info) = list;
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
      input->Date(gst_buffer_list_get_writable(list, i));
    }
  } else if ((type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    input->Date(buffer);
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_event_unref(GST_PAD_PROBE_INFO_EVENT(info));
    GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_segment(&segment);
  }
  return GST_PAD_PROBE_OK;
}

void AudioInput::Date(GstBuffer* buffer) {
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return;
  const auto at = RunningTime(GST_BUFFER_PTS(buffer));
  GST_BUFFER_PTS(buffer) = at ? static_cast<GstClockTime>(at->count()) : GST_CLOCK_TIME_NONE;
}

std::optional<std::chrono::nanoseconds> AudioInput::RunningTime(GstClockTime pts) const {
  if (const auto at = video_->RunningTime(std::chrono::nanoseconds(pts))) return at;
  // Before the first picture both have the same segment; that of a later programme is moved for
  // the video (base), nobody knows yet where to.
  const EventPtr event(gst_pad_get_sticky_event(pad_, GST_EVENT_SEGMENT, 0));
  if (!event) return std::nullopt;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  if (segment->base != 0) return std::nullopt;
  const GstClockTime at = gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts);
  if (!GST_CLOCK_TIME_IS_VALID(at)) return std::nullopt;
  return std::chrono::nanoseconds(at);
}

GstPadProbeReturn AudioInput::OnUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  GstBuffer* unit = GST_PAD_PROBE_INFO_BUFFER(info);
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  if (!caps || !GST_BUFFER_PTS_IS_VALID(unit)) return GST_PAD_PROBE_OK;
  static_cast<AudioInput*>(self)->line_->Push(
      {.at = std::chrono::nanoseconds(GST_BUFFER_PTS(unit)),
       .bytes = gst_buffer_get_size(unit),
       .sample = SamplePtr(gst_sample_new(unit, caps.get(), nullptr, nullptr))});
  return GST_PAD_PROBE_OK;
}

bool AudioInput::IsFromAudio(GstMessage* message) {
  for (const GstObject* from = GST_MESSAGE_SRC(message); from != nullptr;
       from = GST_OBJECT_PARENT(from)) {
    const std::string_view name = GST_OBJECT_NAME(from) == nullptr ? "" : GST_OBJECT_NAME(from);
    if (name == kBranchName || name == kEncoderName) return true;
  }
  return false;
}

}  // namespace framelock::stream
