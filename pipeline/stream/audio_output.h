// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "pipeline/stream/audio_line.h"

namespace framelock::stream {

/// From an AudioLine into the muxer, beside the video. The muxer waits until each of its pads has
/// something, so that a silent or late track would hold up the video. Here everything goes in on
/// the video's streaming thread: before each picture the audio that is due, and a GAP event
/// wherever the muxer would wait. The muxer has an audio pad from the first track on: one that
/// comes back finds its place, one of another kind gets a new one.
///
///   video pad   gap gap V1             gap V2         each gap lies behind what is to go first
///   audio pad    a0  a1    gap(V1+)     a2    gap(V2+)
///
/// All but Stop runs on the video's streaming thread. Destroy this only after the pipeline has
/// stopped.
class AudioOutput {
 public:
  struct Options {
    AudioLine* line = nullptr;          // outlives this
    GstElement* muxer = nullptr;        // the pipeline's, like what follows
    GstPad* video = nullptr;            // the muxer's pad for the video
    std::chrono::nanoseconds shift{0};  // that the video's times have got behind the input's
  };

  explicit AudioOutput(const Options& options);
  AudioOutput(const AudioOutput&) = delete;
  AudioOutput& operator=(const AudioOutput&) = delete;

  /// Nothing goes in any more; returns when the streaming thread has left the muxer's audio pad.
  /// What is behind the muxer must have stopped, so that the muxer waits for nobody. Any thread.
  void Stop();

 private:
  static GstPadProbeReturn OnVideo(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  void BeforePicture(GstBuffer* picture);
  void BeforeEnd();
  void SendUntil(GstClockTime at);
  void Send(AudioLine::Unit unit);
  void FollowFormat(GstCaps* caps);
  void OpenPad(GstCaps* caps);
  void DropPad();
  bool SkipVideo();
  void SkipAudio();

  const Options options_;
  std::mutex mutex_;  // held while the audio's pad is in use
  bool stopped_ = false;
  GstSegment segment_;                          // the video's
  PadPtr pad_;                                  // the muxer's; null without a track
  CapsPtr caps_;                                // that were sent into it
  GstClockTime picture_ = GST_CLOCK_TIME_NONE;  // running time of the latest
  GstClockTime interval_ = 0;                   // between the latest two pictures
  GstClockTime last_ = 0;  // running time of the latest that went in, gaps included
};

}  // namespace framelock::stream
