// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>

#include "workers/host/frame_region.h"

namespace framelock::plugins {

/// A buffer pool whose buffers are the input slots of `region`, so that upstream writes straight
/// into memory that the worker reads. A slot is free again when the last user of its memory is
/// gone, whatever became of the buffer. Full: plain memory is handed out instead, so that upstream
/// never waits here; such a frame costs a copy later.
GstBufferPool* slot_pool_new(std::shared_ptr<host::FrameRegion> region);

/// Bytes of one input frame in that region.
gsize slot_pool_frame_bytes(const host::FrameRegion& region);

}  // namespace framelock::plugins
