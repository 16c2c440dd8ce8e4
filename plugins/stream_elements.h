// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

// tricklesrc, tricklesink, websocketsrc and websocketsink: see their gst-inspect-1.0 texts.
gboolean framelock_trickle_src_register(GstPlugin* plugin);
gboolean framelock_trickle_sink_register(GstPlugin* plugin);
gboolean framelock_websocket_src_register(GstPlugin* plugin);
gboolean framelock_websocket_sink_register(GstPlugin* plugin);

G_END_DECLS
