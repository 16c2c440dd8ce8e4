// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

/// websocketsink: sends buffers as binary WebSocket messages. See its gst-inspect-1.0 text.
G_DECLARE_FINAL_TYPE(FramelockWebsocketSink, framelock_websocket_sink, FRAMELOCK, WEBSOCKET_SINK,
                     GstBaseSink)

gboolean framelock_websocket_sink_register(GstPlugin* plugin);

G_END_DECLS
