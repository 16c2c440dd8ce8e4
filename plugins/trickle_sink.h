// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

/// tricklesink: publishes a trickle channel. See its gst-inspect-1.0 text.
G_DECLARE_FINAL_TYPE(FramelockTrickleSink, framelock_trickle_sink, FRAMELOCK, TRICKLE_SINK,
                     GstBaseSink)

gboolean framelock_trickle_sink_register(GstPlugin* plugin);

G_END_DECLS
