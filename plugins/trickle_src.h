// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

/// tricklesrc: a live source that reads a trickle channel. See its gst-inspect-1.0 text.
G_DECLARE_FINAL_TYPE(FramelockTrickleSrc, framelock_trickle_src, FRAMELOCK, TRICKLE_SRC, GstPushSrc)

gboolean framelock_trickle_src_register(GstPlugin* plugin);

G_END_DECLS
