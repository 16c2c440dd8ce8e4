// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>

#include "plugins/stream_elements.h"
#include "plugins/worker_filter.h"

static gboolean framelock_plugin_init(GstPlugin* plugin) {
  gboolean any = FALSE;  // one element that cannot be registered does not take the others with it
  any |= framelock_trickle_src_register(plugin);
  any |= framelock_trickle_sink_register(plugin);
  any |= framelock_websocket_src_register(plugin);
  any |= framelock_websocket_sink_register(plugin);
  any |= framelock_worker_filter_register(plugin);
  return any;
}

#define PACKAGE "framelock"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, framelock,
                  "Live video by trickle and WebSocket, frame by frame through a worker process",
                  framelock_plugin_init, FRAMELOCK_VERSION, "Apache 2.0", "Framelock", "Framelock")
