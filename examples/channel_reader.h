// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "examples/picture_view.h"
#include "pipeline/core/result.h"

namespace framelock::demo {

/// Reads one channel of H.264 in MPEG-TS and hands over its pictures. Owns a pipeline; the
/// destructor stops it.
class ChannelReader {
 public:
  struct Frame {
    PictureView picture;     // RGB; valid during the call
    std::int64_t pts_ticks;  // 90 kHz, as the PES packet has it
  };
  /// Called on the pipeline's thread, in order.
  using OnFrame = std::function<void(const Frame&)>;

  static Result<std::unique_ptr<ChannelReader>> Open(const std::string& url, OnFrame on_frame);
  ~ChannelReader();
  ChannelReader(const ChannelReader&) = delete;
  ChannelReader& operator=(const ChannelReader&) = delete;

  /// The pipeline's error; kClosed: the channel ended. Never blocks.
  Status Check();

 private:
  explicit ChannelReader(OnFrame on_frame);
  Status Build(const std::string& url);
  static GstBusSyncReply OnMessage(GstBus* bus, GstMessage* message, gpointer self);
  static GstPadProbeReturn OnUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static void OnPad(GstElement* demux, GstPad* pad, gpointer self);
  static GstFlowReturn OnSample(GstElement* sink, gpointer self);
  std::int64_t TakePts(guint pid, GstClockTime time);

  OnFrame on_frame_;
  GstElement* pipeline_;
  GstBus* bus_;
  GstElement* decode_ = nullptr;  // the pipeline's

  // The demuxer moves its timestamps where the programme clock jumps, e.g. behind a gap. The judge
  // needs those that were published, so each access unit's own pts is kept beside the demuxer's.
  std::mutex mutex_;
  struct Unit {
    GstClockTime time;  // the demuxer's
    std::int64_t pts;   // as published
  };
  std::map<guint, std::deque<std::int64_t>> announced_pts_;  // by PID, of units still to come
  std::optional<Unit> last_unit_;
  std::map<GstClockTime, std::int64_t> published_pts_;  // by the demuxer's
};

}  // namespace framelock::demo
