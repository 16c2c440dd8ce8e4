// SPDX-License-Identifier: Apache-2.0
#include "plugins/slot_pool.h"

#include <utility>

#include "plugins/slot_lease.h"

namespace framelock::plugins {

namespace {

using SharedRegion = std::shared_ptr<host::FrameRegion>;

struct SlotPool {
  GstBufferPool parent;
  SharedRegion* region;
};
struct SlotPoolClass {
  GstBufferPoolClass parent;
};

GType slot_pool_get_type();
G_DEFINE_TYPE(SlotPool, slot_pool, GST_TYPE_BUFFER_POOL)

SlotPool* AsSlotPool(gpointer object) { return static_cast<SlotPool*>(object); }

GstFlowReturn slot_pool_acquire_buffer(GstBufferPool* pool, GstBuffer** buffer,
                                       GstBufferPoolAcquireParams*) {
  if (GST_BUFFER_POOL_IS_FLUSHING(pool)) return GST_FLOW_FLUSHING;
  const SharedRegion& region = *AsSlotPool(pool)->region;
  const gsize bytes = slot_pool_frame_bytes(*region);
  auto lease = SlotLease::TakeInput(region);
  if (!lease) {
    *buffer = gst_buffer_new_allocate(nullptr, bytes, nullptr);
    return *buffer != nullptr ? GST_FLOW_OK : GST_FLOW_ERROR;
  }
  const auto slot = lease->bytes();
  *buffer = gst_buffer_new_wrapped_full(
      static_cast<GstMemoryFlags>(0), slot.data(), slot.size(), 0, bytes, lease.release(),
      [](gpointer data) { delete static_cast<SlotLease*>(data); });
  return GST_FLOW_OK;
}

// Nothing is recycled here: the slot goes back to the region with its memory.
void slot_pool_release_buffer(GstBufferPool*, GstBuffer* buffer) { gst_buffer_unref(buffer); }

void slot_pool_finalize(GObject* object) {
  delete AsSlotPool(object)->region;
  G_OBJECT_CLASS(slot_pool_parent_class)->finalize(object);
}

void slot_pool_class_init(SlotPoolClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = slot_pool_finalize;
  GST_BUFFER_POOL_CLASS(klass)->acquire_buffer = slot_pool_acquire_buffer;
  GST_BUFFER_POOL_CLASS(klass)->release_buffer = slot_pool_release_buffer;
}

void slot_pool_init(SlotPool*) {}

}  // namespace

gsize slot_pool_frame_bytes(const host::FrameRegion& region) {
  const auto& attach = region.layout().attach();
  return gsize{attach.stride} * attach.height;
}

GstBufferPool* slot_pool_new(std::shared_ptr<host::FrameRegion> region) {
  auto* pool = static_cast<SlotPool*>(g_object_new(slot_pool_get_type(), nullptr));
  gst_object_ref_sink(pool);
  pool->region = new SharedRegion(std::move(region));
  return GST_BUFFER_POOL(pool);
}

}  // namespace framelock::plugins
