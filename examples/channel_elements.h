// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <string>

#include "pipeline/core/result.h"

namespace framelock::demo {

/// gst_init, and Framelock's elements from lib/gstreamer-1.0 beside the program's bin directory
/// unless GST_PLUGIN_PATH has them already.
Status InitGStreamer();

/// The element that reads or writes a channel, by the URL's scheme: http(s) trickle, ws(s)
/// WebSocket, file a local MPEG-TS file. Floating; the pipeline takes it.
Result<GstElement*> MakeChannelSource(const std::string& url);
Result<GstElement*> MakeChannelSink(const std::string& url);

/// Parses a chain of elements into a bin with ghost pads; kInternal names what is missing.
Result<GstElement*> MakeChain(const std::string& description);

/// The first error on a bus, or end of stream: kClosed; nothing: ok.
Status CheckBus(GstBus* bus);

}  // namespace framelock::demo
