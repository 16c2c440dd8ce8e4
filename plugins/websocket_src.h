// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

/// websocketsrc: a live source that reads binary WebSocket messages. See its gst-inspect-1.0 text.
G_DECLARE_FINAL_TYPE(FramelockWebsocketSrc, framelock_websocket_src, FRAMELOCK, WEBSOCKET_SRC,
                     GstPushSrc)

gboolean framelock_websocket_src_register(GstPlugin* plugin);

G_END_DECLS
