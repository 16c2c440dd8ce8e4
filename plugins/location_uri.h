// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <string>
#include <string_view>

namespace framelock::plugins {

/// GStreamer chooses elements by URI scheme, and http belongs to others: so trickle:// stands for
/// a channel at http://, trickles:// for one at https://. Other schemes are left alone.
std::string HttpFromTrickleUri(std::string_view uri);
std::string TrickleUriFromHttp(std::string_view url);

// For G_DEFINE_TYPE_WITH_CODE: make the type a GstURIHandler whose URI is its "location" property,
// with the schemes trickle and trickles, or ws and wss.
void AddTrickleSourceUri(GType type);
void AddTrickleSinkUri(GType type);
void AddWebSocketSourceUri(GType type);
void AddWebSocketSinkUri(GType type);

}  // namespace framelock::plugins
