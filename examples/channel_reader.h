// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "examples/picture_view.h"
#include "pipeline/core/result.h"

namespace framelock::demo {

/// Reads one channel of H.264 in MPEG-TS and hands over its pictures. Owns a pipeline; the
/// destructor stops it.
class ChannelReader {
 public:
  struct Frame {
    PictureView picture;  // RGB; valid during the call
    std::chrono::nanoseconds pts;
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
  static void OnPad(GstElement* demux, GstPad* pad, gpointer self);
  static GstFlowReturn OnSample(GstElement* sink, gpointer self);

  OnFrame on_frame_;
  GstElement* pipeline_;
  GstBus* bus_;
  GstElement* decode_ = nullptr;  // the pipeline's
};

}  // namespace framelock::demo
