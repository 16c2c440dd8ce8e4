// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "pipeline/core/result.h"
#include "pipeline/stream/audio_line.h"
#include "pipeline/stream/video_time.h"

namespace framelock::stream {

/// From the demuxer's audio pad into an AudioLine: beside the graph units as they came if MPEG-TS
/// has a place for their codec, else Opus; through the graph always Opus, mono.
///
///   kBeside   demuxer ! parser (! decoder ! encoder) ! line
///   kThrough  demuxer ! parser ! decoder ! workerfilter ! encoder ! line
///
/// Its elements belong to the pipeline; destroy this only after the pipeline has stopped. All calls
/// come from the source's streaming thread. Nothing that goes wrong here reaches the demuxer, so
/// the video never knows.
class AudioInput {
 public:
  enum class Way : std::uint8_t { kBeside, kThrough };

  /// `line` and `video` outlive this. `filter`: the workerfilter.
  AudioInput(GstBin* pipeline, AudioLine* line, const VideoTime* video, GstElement* filter)
      : pipeline_(pipeline), line_(line), video_(video), filter_(filter) {}
  AudioInput(const AudioInput&) = delete;
  AudioInput& operator=(const AudioInput&) = delete;

  /// The demuxer's pad of the track.
  Status Start(GstPad* pad, Way way);
  /// The track is gone; its pad is unlinked.
  void Stop();
  /// The pad that was started; compared, never used.
  [[nodiscard]] GstPad* pad() const { return pad_; }

  /// True if a message on the bus comes from an audio branch: the stream goes on.
  static bool IsFromAudio(GstMessage* message);

 private:
  static GstPadProbeReturn OnEntry(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn OnUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  Status LinkThrough();
  void Remove(GstElement*& branch);
  void Date(GstBuffer* buffer);
  [[nodiscard]] std::optional<std::chrono::nanoseconds> RunningTime(GstClockTime pts) const;

  GstBin* const pipeline_;
  AudioLine* const line_;
  const VideoTime* const video_;
  GstElement* const filter_;
  PadPtr entry_;                   // the filter's; its audio pads stay once they are there
  GstElement* branch_ = nullptr;   // the pipeline's
  GstElement* encoder_ = nullptr;  // the pipeline's, behind the filter; null unless kThrough
  GstPad* pad_ = nullptr;          // the demuxer's, which feeds it
};

}  // namespace framelock::stream
