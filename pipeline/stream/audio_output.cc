// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/audio_output.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace framelock::stream {

namespace {

int IntOf(const GstStructure* caps, const char* field, int otherwise) {
  gint value = otherwise;
  gst_structure_get_int(caps, field, &value);
  return value;
}

// True if both have the same entry in the programme's map: the rest may change within a track.
bool SameTrack(const GstCaps* one, const GstCaps* other) {
  const GstStructure* a = gst_caps_get_structure(one, 0);
  const GstStructure* b = gst_caps_get_structure(other, 0);
  if (gst_structure_has_name(a, gst_structure_get_name(b)) == 0) return false;
  const auto same = [&](const char* field) { return IntOf(a, field, 1) == IntOf(b, field, 1); };
  if (gst_structure_has_name(a, "audio/x-opus") != 0) {
    return same("channels") && same("channel-mapping-family");
  }
  const bool mpeg1 = IntOf(a, "mpegversion", 1) == 1;
  return mpeg1 == (IntOf(b, "mpegversion", 1) == 1) && (!mpeg1 || same("mpegaudioversion"));
}

}  // namespace

AudioOutput::AudioOutput(const Options& options) : options_(options) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  gst_pad_add_probe(
      options_.video,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      &AudioOutput::OnVideo, this, nullptr);
}

GstPadProbeReturn AudioOutput::OnVideo(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* output = static_cast<AudioOutput*>(self);
  // A GAP event of ours comes along here, too, with the mutex held.
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    output->BeforePicture(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &output->segment_);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) output->BeforeEnd();
  return GST_PAD_PROBE_OK;
}

void AudioOutput::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void AudioOutput::BeforePicture(GstBuffer* picture) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || segment_.format != GST_FORMAT_TIME) return;
  const GstClockTime at =
      gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(picture));
  if (!GST_CLOCK_TIME_IS_VALID(at)) return;
  if (GST_CLOCK_TIME_IS_VALID(picture_) && at > picture_) interval_ = at - picture_;
  picture_ = at;
  SendUntil(at);
  // Announced together with the first picture, if it is there by then.
  if (const CapsPtr waiting = options_.line->Format(); waiting && !pad_) OpenPad(waiting.get());
  last_ = std::max(last_, at);
  if (pad_) SkipAudio();
}

// What sounds while the last picture is shown belongs to it.
void AudioOutput::BeforeEnd() {
  const std::lock_guard lock(mutex_);
  if (!stopped_ && GST_CLOCK_TIME_IS_VALID(picture_)) SendUntil(picture_ + interval_);
  options_.line->End();
  if (pad_) gst_pad_send_event(pad_.get(), gst_event_new_eos());
}

void AudioOutput::SendUntil(GstClockTime at) {
  const auto input_time = std::chrono::nanoseconds(at) - options_.shift;
  std::vector<AudioLine::Unit> due = options_.line->TakeUntil(input_time);
  for (AudioLine::Unit& unit : due) Send(std::move(unit));
}

void AudioOutput::Send(AudioLine::Unit unit) {
  FollowFormat(gst_sample_get_caps(unit.sample.get()));
  if (!pad_) return;
  GstBuffer* buffer = gst_buffer_copy(gst_sample_get_buffer(unit.sample.get()));
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>((unit.at + options_.shift).count());
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  last_ = std::max(last_, GST_BUFFER_PTS(buffer));
  // A muxer that flushes or fails tells the video, too.
  if (SkipVideo()) {
    gst_pad_chain(pad_.get(), buffer);
  } else {
    gst_buffer_unref(buffer);
  }
}

void AudioOutput::FollowFormat(GstCaps* caps) {
  if (pad_ && gst_caps_is_equal(caps, caps_.get()) != 0) return;
  if (pad_ && SameTrack(caps, caps_.get())) {
    caps_.reset(gst_caps_ref(caps));
    gst_pad_send_event(pad_.get(), gst_event_new_caps(caps));
    return;
  }
  if (pad_) DropPad();
  OpenPad(caps);
}

void AudioOutput::OpenPad(GstCaps* caps) {
  PadPtr pad(gst_element_request_pad_simple(options_.muxer, "sink_%d"));
  if (!pad) return;
  if (gst_pad_query_accept_caps(pad.get(), caps) == 0) {
    gst_element_release_request_pad(options_.muxer, pad.get());
    return;
  }
  pad_ = std::move(pad);
  caps_.reset(gst_caps_ref(caps));
  gst_pad_send_event(pad_.get(), gst_event_new_stream_start("audio"));
  gst_pad_send_event(pad_.get(), gst_event_new_caps(caps));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_send_event(pad_.get(), gst_event_new_segment(&segment));
  spdlog::info("output audio is {}", gst_structure_get_name(gst_caps_get_structure(caps, 0)));
}

// The muxer must not be looking at the pad when it goes: a query that it answers in the order of
// the data shows that it has done with all before.
void AudioOutput::DropPad() {
  if (SkipVideo()) {
    GstQuery* query = gst_query_new_allocation(caps_.get(), FALSE);
    gst_pad_query(pad_.get(), query);
    gst_query_unref(query);
  }
  gst_element_release_request_pad(options_.muxer, pad_.get());
  pad_.reset();
  caps_.reset();
}

// False: the muxer takes nothing more, and would let wait for ever who brings something to a pad
// that is younger than its failure.
bool AudioOutput::SkipVideo() {
  ++last_;
  GstClockTime position = gst_segment_position_from_running_time(&segment_, GST_FORMAT_TIME, last_);
  if (!GST_CLOCK_TIME_IS_VALID(position)) {
    // A new segment, which begins behind all that went in so far.
    position = segment_.start;
    last_ = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, position);
  }
  return gst_pad_send_event(options_.video, gst_event_new_gap(position, GST_CLOCK_TIME_NONE)) != 0;
}

void AudioOutput::SkipAudio() {
  ++last_;
  gst_pad_send_event(pad_.get(), gst_event_new_gap(last_, GST_CLOCK_TIME_NONE));
}

}  // namespace framelock::stream
