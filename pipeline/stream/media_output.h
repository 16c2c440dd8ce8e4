// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/core/result.h"
#include "pipeline/stream/audio_output.h"
#include "pipeline/stream/departures.h"
#include "pipeline/stream/h264_encoder.h"
#include "pipeline/stream/key_frame_cadence.h"
#include "pipeline/stream/latency_trace.h"
#include "pipeline/stream/output_pace.h"

namespace framelock::stream {

/// From pictures to a channel: H.264 without look-ahead, MPEG-TS, sink. Its elements belong to the
/// pipeline; destroy this only after the pipeline has stopped. Everything but Create, Stop and
/// Stats runs on the streaming thread of `from`, and with a pace what is behind the encoder on one
/// of its own: what is encoded waits for its time in a queue, and `from` waits only while that is
/// full. The graph may change the size of its pictures at any time; an odd one loses its
/// last row or column, which 4:2:0 cannot carry, and a side of one pixel is scaled to two.
class MediaOutput {
 public:
  struct Options {
    std::optional<std::string> url;  // unset: encoded, then thrown away
    H264EncoderOptions encoder;
    AudioLine* audio = nullptr;        // what goes out beside the pictures
    LatencyTrace* trace = nullptr;     // borrowed; none: nothing is traced
    OutputPace* pace = nullptr;        // borrowed; none: what is encoded leaves at once
    Departures* departures = nullptr;  // borrowed; none: nobody wants to know
  };

  /// Adds its elements to `pipeline` and links them behind `from`.
  static Result<std::unique_ptr<MediaOutput>> Create(const Options& options, GstBin* pipeline,
                                                     GstElement* from);
  MediaOutput(const MediaOutput&) = delete;
  MediaOutput& operator=(const MediaOutput&) = delete;

  /// Call before the pipeline stops, from the thread that stops it: the streaming thread could be
  /// in two of the muxer's pads at once, which would wait for each other.
  void Stop();

  /// The sink's own figures and the encoder's name, for the status.
  [[nodiscard]] nlohmann::json Stats() const;

 private:
  explicit MediaOutput(std::chrono::seconds gop) : cadence_(gop) {}

  Status Build(const Options& options, GstBin* pipeline, GstElement* from);
  void Watch(GstElement* from, GstElement* encode, GstElement* exit, const Options& options);
  Result<GstElement*> AddExit(GstElement* encode, const Options& options, GstBin* pipeline);
  Status AddSink(const Options& options, GstBin* pipeline);
  static GstPadProbeReturn OnCaps(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn OnPicture(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  GstElement* even_ = nullptr;  // crops to even sizes
  GstElement* sink_ = nullptr;
  OutputPace* pace_ = nullptr;
  std::string encoder_;  // its element's name
  KeyFrameCadence cadence_;
  std::optional<AudioOutput> audio_;
};

}  // namespace framelock::stream
