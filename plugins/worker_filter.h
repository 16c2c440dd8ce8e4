// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/// workerfilter: every frame through a graph in a worker process. See its gst-inspect-1.0 text.
G_DECLARE_FINAL_TYPE(FramelockWorkerFilter, framelock_worker_filter, FRAMELOCK, WORKER_FILTER,
                     GstElement)

gboolean framelock_worker_filter_register(GstPlugin* plugin);

G_END_DECLS
