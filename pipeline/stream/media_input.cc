// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/media_input.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/stream/access_units.h"
#include "pipeline/stream/elements.h"
#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/h264_decoder.h"
#include "pipeline/stream/running_time.h"

namespace framelock::stream {

namespace {

constexpr char kNoVideo[] = "input is not MPEG-TS with a video stream";
constexpr char kParseH264[] =
    "capssetter caps=video/x-h264,alignment=au join=true ! h264parse name=parser";

constexpr std::chrono::seconds kLongestInterval{1};  // between pictures without a hole
constexpr std::chrono::seconds kLongestWait{1};      // of the audio, for its way

constexpr auto kBuffersAndEvents =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
H264Entry EntryOfUnit(GstBuffer* unit) {
  GstMapInfo map;
  if (gst_buffer_map(unit, &map, GST_MAP_READ) == 0) return {};
  const H264Entry entry = EntryOf({map.data, map.size});
  gst_buffer_unmap(unit, &map);
  return entry;
}

std::string CapsName(GstPad* pad) {
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  if (!caps || gst_caps_get_size(caps.get()) == 0) return {};
  return gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
}

// tsdemux names its pads after programme and PID, both in hexadecimal: video_0_0041.
std::optional<std::uint16_t> PidOf(GstPad* pad) {
  const std::string name = GST_PAD_NAME(pad);
  const std::size_t last = name.rfind('_');
  if (last == std::string::npos) return std::nullopt;
  const guint64 pid = g_ascii_strtoull(name.c_str() + last + 1, nullptr, 16);
  if (pid == 0 || pid > 0x1FFF) return std::nullopt;
  return static_cast<std::uint16_t>(pid);
}

void OnDecodedPad(GstElement* /*decodebin*/, GstPad* pad, gpointer branch) {
  const PadPtr exit(gst_element_get_static_pad(static_cast<GstElement*>(branch), "src"));
  if (CapsName(pad).starts_with("video/")) gst_ghost_pad_set_target(GST_GHOST_PAD(exit.get()), pad);
}

Result<GstElement*> MakeH264Branch(Hardware hardware) {
  return MakeRow({MakeChain(kParseH264), MakeH264Decoder(hardware)});
}

// Any other codec: decodebin finds the decoder; its picture pad comes later.
Result<GstElement*> MakeAnyDecoder() {
  Result<GstElement*> decodebin = MakeElement("decodebin");
  if (!decodebin) return decodebin;
  GstElement* branch = gst_bin_new(nullptr);
  gst_bin_add(GST_BIN(branch), *decodebin);
  const PadPtr entry(gst_element_get_static_pad(*decodebin, "sink"));
  gst_element_add_pad(branch, gst_ghost_pad_new("sink", entry.get()));
  gst_element_add_pad(branch, gst_ghost_pad_new_no_target("src", GST_PAD_SRC));
  g_signal_connect(*decodebin, "pad-added", G_CALLBACK(&OnDecodedPad), branch);
  return branch;
}

// "give-up-after" in milliseconds, as our sources name it.
void SetPatience(GstElement* source, std::chrono::milliseconds patience) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(source), "give-up-after") != nullptr) {
    g_object_set(source, "give-up-after", static_cast<guint>(patience.count()), nullptr);
  }
}

}  // namespace

MediaInput::MediaInput(const Options& options, GstBin* pipeline, GstElement* next)
    : options_(options),
      pipeline_(pipeline),
      next_(next),
      entry_({.on_hole = [this] { gate_.AnnounceHole(); },
              .on_audio = [this](std::optional<std::uint16_t> pid) { FollowAudio(pid); },
              .trace = options.trace,
              .clock = options.clock}) {
  if (options.max_framerate) cap_.emplace(*options.max_framerate);
  if (options.audio != nullptr)
    audio_.emplace(pipeline, options.audio, &video_time_, options.filter);
}

// The demuxer outlives us, and removes its pads when the pipeline lets go of it.
MediaInput::~MediaInput() {
  if (demux_ != nullptr) g_signal_handlers_disconnect_by_data(demux_, this);
}

Result<std::unique_ptr<MediaInput>> MediaInput::Create(const Options& options, GstBin* pipeline,
                                                       GstElement* next) {
  std::unique_ptr<MediaInput> input(new MediaInput(options, pipeline, next));
  if (const Status built = input->Build(); !built) return built.error();
  return input;
}

Status MediaInput::Build() {
  Result<GstElement*> source = MakeSource(options_.url);
  if (!source) return source.error();
  source_ = *source;
  if (Status added = AddTo(pipeline_, source_); !added) return added;
  SetPatience(source_, options_.give_up_after);
  Result<GstElement*> demux = AddElement(pipeline_, "tsdemux");
  if (!demux) return demux.error();
  demux_ = *demux;
  g_object_set(demux_, "latency", 0, nullptr);
  g_signal_connect(demux_, "pad-added", G_CALLBACK(&MediaInput::OnPadAdded), this);
  g_signal_connect(demux_, "pad-removed", G_CALLBACK(&MediaInput::OnPadRemoved), this);
  if (gst_element_link(source_, demux_) == 0) {
    return Error{ErrorCode::kInternal, "source and demuxer do not link"};
  }
  const PadPtr exit(gst_element_get_static_pad(source_, "src"));
  gst_pad_add_probe(exit.get(), kBuffersAndEvents, &MediaInput::OnBytes, this, nullptr);
  return {};
}

GstPadProbeReturn MediaInput::OnBytes(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  auto* input = static_cast<MediaInput*>(self);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
      input->source_ended_ = true;
      // Its picture was taken off the air before: nothing else would tell the output.
      if (input->has_video_ && !input->linked_) input->EndOutput();
    }
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* bytes = GST_PAD_PROBE_INFO_BUFFER(info);
  {
    const std::lock_guard lock(input->mutex_);
    if (!input->counts_.first_byte) input->counts_.first_byte = Clock::System().Now();
    input->counts_.bytes += gst_buffer_get_size(bytes);
  }
  if (input->audio_) input->FollowWay();
  const GstPadProbeReturn fed = input->entry_.OnBuffer(pad, info);
  const std::lock_guard lock(input->mutex_);
  input->counts_.epochs = input->entry_.epochs();
  return fed;
}

void MediaInput::OnPadAdded(GstElement* /*demux*/, GstPad* pad, gpointer self) {
  auto* input = static_cast<MediaInput*>(self);
  const std::string caps = CapsName(pad);
  if (!caps.starts_with("video/")) {
    input->AddOther(pad);
  } else if (input->branch_ == nullptr) {
    input->AddVideo(pad);
  } else {
    // A second video stream, or the first one of the next programme.
    input->spare_pad_ = pad;
    input->Ignore(pad);
  }
}

void MediaInput::OnPadRemoved(GstElement* /*demux*/, GstPad* pad, gpointer self) {
  auto* input = static_cast<MediaInput*>(self);
  input->StopIgnoring(pad);
  if (input->audio_ && input->audio_->pad() == pad) input->audio_->Stop();
  if (pad == input->spare_pad_) input->spare_pad_ = nullptr;
  if (pad != input->branch_pad_) return;
  input->DropBranch();
  if (GstPad* spare = std::exchange(input->spare_pad_, nullptr)) {
    input->StopIgnoring(spare);
    input->AddVideo(spare);
  }
}

void MediaInput::AddVideo(GstPad* pad) {
  const std::string caps = CapsName(pad);
  Result<GstElement*> branch =
      caps == "video/x-h264" ? MakeH264Branch(options_.hardware) : MakeAnyDecoder();
  const Status added = branch ? AddTo(pipeline_, *branch) : Status(branch.error());
  if (!added) {
    GST_ELEMENT_ERROR(demux_, STREAM, DECODE, ("%s", added.error().message.c_str()), (nullptr));
    return;
  }
  branch_ = *branch;
  branch_pad_ = pad;
  Watch(branch_);
  const PadPtr exit(gst_element_get_static_pad(branch_, "src"));
  const PadPtr entry(gst_element_get_static_pad(branch_, "sink"));
  const PadPtr target(gst_element_get_static_pad(next_, "sink"));
  gst_pad_link(exit.get(), target.get());
  gst_element_sync_state_with_parent(branch_);
  if (caps == "video/x-h264") AccessUnits::Install(pad, [this] { gate_.AnnounceHole(); });
  gst_pad_link(pad, entry.get());
  has_video_ = true;
  linked_ = true;
  spdlog::info("input video is {}", caps);
}

void MediaInput::Watch(GstElement* branch) {
  if (const ElementPtr decoder{gst_bin_get_by_name(GST_BIN(branch), "decoder")}) {
    const std::lock_guard lock(mutex_);
    decoder_ = GST_OBJECT_NAME(gst_element_get_factory(decoder.get()));
  }
  gate_ = KeyGate();
  if (const std::optional<std::uint16_t> pid = PidOf(branch_pad_)) {
    const bool h264 = CapsName(branch_pad_) == "video/x-h264";
    entry_.Watch(*pid, h264 ? PesEnds::Marks::kUnit : PesEnds::Marks::kNone);
  }
  const PadPtr entry(gst_element_get_static_pad(branch, "sink"));
  gst_pad_add_probe(entry.get(), kBuffersAndEvents, &MediaInput::OnAccessUnit, this, nullptr);
  if (const ElementPtr parser{gst_bin_get_by_name(GST_BIN(branch), "parser")}) {
    const PadPtr parsed(gst_element_get_static_pad(parser.get(), "src"));
    gst_pad_add_probe(parsed.get(), kBuffersAndEvents, &MediaInput::OnParsed, this, nullptr);
  }
  const PadPtr exit(gst_element_get_static_pad(branch, "src"));
  gst_pad_add_probe(exit.get(), kBuffersAndEvents, &MediaInput::OnPicture, this, nullptr);
  if (options_.trace != nullptr) options_.trace->Watch(exit.get(), LatencyTrace::Hop::kDecode);
}

void MediaInput::NoteTime(GstPad* pad, std::chrono::nanoseconds pts) {
  if (!audio_) return;
  const EventPtr event(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  if (!event) return;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event.get(), &segment);
  video_time_.Follow(*segment, pts);
}

// The demuxer shows a pad for each lane that audio may take; the one in use leads out.
void MediaInput::AddOther(GstPad* pad) {
  Ignore(pad);
  if (audio_ && lane_ && PidOf(pad) == lane_) StartAudio(pad);
}

void MediaInput::StartAudio(GstPad* pad) {
  if (!audio_way_) return;
  StopAudio();
  StopIgnoring(pad);
  Status started = audio_->Start(pad, *audio_way_);
  if (!started && audio_way_ == AudioInput::Way::kThrough) {
    spdlog::warn("input audio goes beside the graph: {}", started.error().message);
    started = audio_->Start(pad, AudioInput::Way::kBeside);
  }
  if (started.ok()) return;
  spdlog::warn("input audio is left out: {}", started.error().message);
  Ignore(pad);
}

void MediaInput::StopAudio() {
  GstPad* const former = audio_->pad();
  if (former == nullptr) return;
  audio_->Stop();
  Ignore(former);
}

void MediaInput::FollowAudio(std::optional<std::uint16_t> lane) {
  if (!audio_ || lane_ == lane) return;
  lane_ = lane;
  StopAudio();
  const auto pad = std::find_if(ignored_.begin(), ignored_.end(),
                                [&](const auto& entry) { return PidOf(entry.first) == lane_; });
  if (lane_ && pad != ignored_.end()) StartAudio(pad->first);
}

// Between two buffers of the source nothing is on its way into the audio's elements.
void MediaInput::FollowWay() {
  std::optional<AudioInput::Way> way = way_;
  // A track that changes its way is two to a reader, so it waits a while to be told.
  const bool late = Clock::System().Now() - *counts_.first_byte > kLongestWait;
  if (!way && late) way = AudioInput::Way::kBeside;
  if (!way || audio_way_ == way) return;
  audio_way_ = way;
  if (const auto lane = std::exchange(lane_, std::nullopt)) FollowAudio(lane);
}

void MediaInput::Ignore(GstPad* pad) {
  Result<GstElement*> sink = MakeElement("fakesink");
  if (!sink) return;
  g_object_set(*sink, "sync", FALSE, "async", FALSE, nullptr);
  // The stream's end must not wait for it.
  GST_OBJECT_FLAG_UNSET(*sink, GST_ELEMENT_FLAG_SINK);
  // An unlinked pad is one that the demuxer leaves out.
  if (const Status added = AddTo(pipeline_, *sink); !added) {
    spdlog::warn("{} cannot be left aside: {}", GST_PAD_NAME(pad), added.error().message);
    return;
  }
  gst_element_sync_state_with_parent(*sink);
  const PadPtr entry(gst_element_get_static_pad(*sink, "sink"));
  gst_pad_link(pad, entry.get());
  ignored_[pad] = *sink;
}

void MediaInput::StopIgnoring(GstPad* pad) {
  const auto found = ignored_.find(pad);
  if (found == ignored_.end()) return;
  const PadPtr entry(gst_element_get_static_pad(found->second, "sink"));
  if (gst_pad_is_linked(pad) != 0) gst_pad_unlink(pad, entry.get());
  gst_element_set_state(found->second, GST_STATE_NULL);
  gst_bin_remove(pipeline_, found->second);
  ignored_.erase(found);
}

void MediaInput::DropBranch() {
  linked_ = false;
  const ElementPtr branch(GST_ELEMENT(gst_object_ref(branch_)));
  gst_element_set_state(branch_, GST_STATE_NULL);
  gst_bin_remove(pipeline_, branch_);
  branch_ = nullptr;
  branch_pad_ = nullptr;
  video_time_ = {};
  last_pts_.reset();
  times_ = {};
}

void MediaInput::TraceUnit(GstPad* pad, const GstBuffer* unit) const {
  const std::optional<LatencyTrace::Time> time = RunningTime(pad, unit);
  const std::optional<std::uint16_t> pid = PidOf(branch_pad_);
  if (time && pid) options_.trace->OnUnit(*pid, *time, Clock::System().Now());
}

GstPadProbeReturn MediaInput::OnAccessUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  auto* input = static_cast<MediaInput*>(self);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    UnitTimes::LeaveRoom(info, input->interval_);
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* unit = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = unit;
  input->times_.Unwrap(unit);
  if (!GST_BUFFER_PTS_IS_VALID(unit)) return GST_PAD_PROBE_OK;
  input->NoteTime(pad, std::chrono::nanoseconds(GST_BUFFER_PTS(unit)));
  if (input->options_.trace != nullptr) input->TraceUnit(pad, unit);
  const std::lock_guard lock(input->mutex_);
  input->decoded_.OnAccessUnit(std::chrono::nanoseconds(GST_BUFFER_PTS(unit)));
  return GST_PAD_PROBE_OK;
}

void MediaInput::CountTime(UnitTimes::Time time) {
  if (time == UnitTimes::Time::kOwn) return;
  const std::lock_guard lock(mutex_);
  ++(time == UnitTimes::Time::kInferred ? counts_.inferred_pts : counts_.undated);
}

void MediaInput::CheckSize(GstEvent* event) {
  const std::optional<PictureSize> size = PictureSize::Of(event);
  if (size) CheckSize(*size, size->pixels());
}

void MediaInput::CheckSize(PictureSize size, std::int64_t pixels) {
  if (refused_ || pixels <= options_.max_pixels) return;
  refused_ = true;
  GST_ELEMENT_ERROR(
      demux_, STREAM, FORMAT,
      ("input video is %dx%d: more than max_input_pixels (%" G_GINT64_FORMAT ") allows", size.width,
       size.height, gint64{options_.max_pixels}),
      (nullptr));
}

GstPadProbeReturn MediaInput::OnParsed(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    static_cast<MediaInput*>(self)->CheckSize(GST_PAD_PROBE_INFO_EVENT(info));
    return GST_PAD_PROBE_OK;
  }
  GstBuffer* unit = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = unit;
  auto* input = static_cast<MediaInput*>(self);
  input->CountTime(input->times_.Infer(unit));
  // What the parser gives out after an end on request was not whole yet.
  if (input->refused_ || (input->cut_off_ && input->source_ended_)) return GST_PAD_PROBE_DROP;
  return input->PassGate(unit) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

bool MediaInput::PassGate(GstBuffer* unit) {
  const bool hole = GST_BUFFER_FLAG_IS_SET(unit, GST_BUFFER_FLAG_DISCONT);
  std::optional<KeyGate::Pts> pts;
  if (GST_BUFFER_PTS_IS_VALID(unit)) pts = KeyGate::Pts(GST_BUFFER_PTS(unit));
  const H264Entry entry = EntryOfUnit(unit);
  // The caps tell only what is left of it by cropping.
  if (entry.size) CheckSize({entry.size->width, entry.size->height}, entry.size->least_pixels());
  if (refused_) return false;
  const KeyGate::Verdict verdict =
      gate_.Pass(entry, pts, hole ? KeyGate::Before::kHole : KeyGate::Before::kWhole);
  if (verdict == KeyGate::Verdict::kPass) return true;
  if (verdict == KeyGate::Verdict::kHide) UnitTimes::Hide(unit);
  const std::lock_guard lock(mutex_);
  ++counts_.withheld;
  if (pts) decoded_.Withhold(*pts);
  return verdict == KeyGate::Verdict::kHide;
}

GstPadProbeReturn MediaInput::OnPicture(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* input = static_cast<MediaInput*>(self);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    input->CheckSize(event);  // without a parser it is not known earlier
    // The end of one programme is not the end of the channel.
    const bool eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    return eos && !input->source_ended_ ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  }
  GstBuffer* picture = GST_PAD_PROBE_INFO_BUFFER(info);
  // A picture without a time of its own cannot be matched to anything.
  if (!UnitTimes::IsCertain(picture) || input->refused_) return GST_PAD_PROBE_DROP;
  const std::chrono::nanoseconds pts(GST_BUFFER_PTS(picture));
  return input->KeepPicture(pts) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

bool MediaInput::KeepPicture(std::chrono::nanoseconds pts) {
  const std::lock_guard lock(mutex_);
  decoded_.OnPicture(pts);
  counts_.last_picture = Clock::System().Now();
  if (pts <= last_pts_) {
    ++counts_.undated;
    return false;
  }
  if (last_pts_ && pts - *last_pts_ < kLongestInterval) interval_ = pts - *last_pts_;
  last_pts_ = pts;
  if (!cap_ || cap_->Keep(pts)) return true;
  ++counts_.rate_dropped;
  return false;
}

MediaInput::Counts MediaInput::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.pictures = decoded_.pictures();
  counts.decode_errors = decoded_.lost();
  counts.decode_errors_in_a_row = decoded_.lost_in_a_row();
  return counts;
}

nlohmann::json MediaInput::Stats() const {
  const Counts counts = this->counts();
  nlohmann::json stats = ReadStats(source_);
  stats["bytes"] = counts.bytes;
  stats["pictures"] = counts.pictures;
  stats["rate_dropped"] = counts.rate_dropped;
  stats["inferred_pts"] = counts.inferred_pts;
  stats["undated"] = counts.undated;
  stats["withheld"] = counts.withheld;
  stats["epochs"] = counts.epochs;
  const std::lock_guard lock(mutex_);
  stats["decoder"] = decoder_;
  return stats;
}

std::optional<Error> MediaInput::Verdict(SteadyTime now) const {
  const Counts counts = this->counts();
  if (counts.pictures > 0) {
    if (options_.max_decode_errors == 0 ||
        counts.decode_errors_in_a_row < options_.max_decode_errors) {
      return std::nullopt;
    }
    return Error{ErrorCode::kProtocol,
                 "input video cannot be decoded: " + std::to_string(counts.decode_errors_in_a_row) +
                     " access units in a row gave no picture"};
  }
  if (!counts.first_byte) return std::nullopt;
  const bool late = now - *counts.first_byte > options_.detect_time;
  const bool ended = source_ended_ && !has_video_;
  if (!ended && !late && counts.bytes <= options_.detect_bytes) return std::nullopt;
  const std::string seen = " (" + std::to_string(counts.bytes) + " bytes read)";
  if (!has_video_) return Error{ErrorCode::kProtocol, kNoVideo + seen};
  return Error{ErrorCode::kProtocol, "input video gives no picture" + seen};
}

bool MediaInput::ExplainsNoVideo(GstMessage* error) const {
  if (has_video_) return false;
  GError* details = nullptr;
  gst_message_parse_error(error, &details, nullptr);
  // A source says STREAM/FAILED when what is behind it refused its bytes.
  const bool stream = details->domain == GST_STREAM_ERROR;
  g_error_free(details);
  const GstObject* from = GST_MESSAGE_SRC(error);
  return from == GST_OBJECT(demux_) || (from == GST_OBJECT(source_) && stream);
}

void MediaInput::End() {
  cut_off_ = true;
  if (has_video_) {
    gst_element_send_event(source_, gst_event_new_eos());
    return;
  }
  // Nothing is linked yet: the end of the source would never reach the output.
  gst_element_set_locked_state(source_, TRUE);
  gst_element_set_state(source_, GST_STATE_NULL);
  const PadPtr target(gst_element_get_static_pad(next_, "sink"));
  gst_pad_send_event(target.get(), gst_event_new_stream_start("nothing"));
  EndOutput();
}

void MediaInput::EndOutput() {
  const PadPtr target(gst_element_get_static_pad(next_, "sink"));
  gst_pad_send_event(target.get(), gst_event_new_eos());
}

}  // namespace framelock::stream
