// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <functional>
#include <vector>

#include "pipeline/stream/access_unit_cutter.h"

namespace framelock::stream {

/// Makes one buffer of each access unit that a demuxer's H.264 pad gives out in PES packets, so
/// that the parser behind it need not wait for the next one. Lives as long as the pad; runs on its
/// streaming thread.
class AccessUnits {
 public:
  /// Calls `on_torn` when a part of an access unit comes after it went on as if it were whole.
  static void Install(GstPad* pad, std::function<void()> on_torn);

 private:
  AccessUnits(GstPad* pad, std::function<void()> on_torn);
  static GstPadProbeReturn OnData(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstPadProbeReturn OnBuffer(GstPadProbeInfo* info);
  GstPadProbeReturn OnEvent(const GstEvent* event);
  GstFlowReturn Forward(std::vector<AccessUnitCutter::Unit> units);

  GstPad* const pad_;
  const std::function<void()> on_torn_;
  AccessUnitCutter cutter_;
  bool hole_ = false;  // in front of what is kept
};

}  // namespace framelock::stream
