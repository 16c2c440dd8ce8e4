// SPDX-License-Identifier: Apache-2.0
#include "plugins/filter_output.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "workers/protocol/message_codec.h"

namespace framelock::plugins {

namespace {

constexpr std::size_t kMaxHeld = 64;  // events before the first caps

GstCaps* CapsOf(const InputFormat& format) { return static_cast<GstCaps*>(format.caps.get()); }

gsize BytesOf(const LineOutput& output) {
  return protocol::FrameBytes(output.frame.format->pixels, output.result.width,
                              output.result.height);
}

// A buffer of a slot's first bytes; it takes the lease over.
GstBuffer* WrapSlot(SlotLease* lease, gsize bytes) {
  const auto slot = lease->bytes();
  return gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), slot.data(), slot.size(), 0,
                                     bytes, lease,
                                     [](gpointer data) { delete static_cast<SlotLease*>(data); });
}

struct MetaCopy {
  GstBuffer* to;
  bool same_size;
};

// Metas that describe the picture travel with it; those that describe its memory do not.
gboolean CopyMeta(GstBuffer* from, GstMeta** meta, gpointer data) {
  const auto* copy = static_cast<const MetaCopy*>(data);
  const GstMetaInfo* info = (*meta)->info;
  if (gst_meta_api_type_has_tag(info->api, g_quark_from_static_string(GST_META_TAG_MEMORY_STR)) ||
      gst_meta_api_type_has_tag(info->api, g_quark_from_static_string("memory-reference")) ||
      (!copy->same_size &&
       gst_meta_api_type_has_tag(info->api,
                                 g_quark_from_static_string(GST_META_TAG_VIDEO_SIZE_STR)))) {
    return TRUE;
  }
  if (info->transform_func != nullptr) {
    GstMetaTransformCopy whole = {FALSE, 0, static_cast<gsize>(-1)};
    info->transform_func(copy->to, *meta, from, g_quark_from_static_string("gst-copy"), &whole);
  }
  return TRUE;
}

void CopyFrameData(GstBuffer* to, const LineOutput& output) {
  auto* source = static_cast<GstBuffer*>(output.frame.source.get());
  gst_buffer_copy_into(
      to, source,
      static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0,
      static_cast<gsize>(-1));
  MetaCopy copy{to, output.result.width == output.frame.format->width &&
                        output.result.height == output.frame.format->height};
  gst_buffer_foreach_meta(source, CopyMeta, &copy);
}

}  // namespace

FilterOutput::~FilterOutput() {
  for (GstEvent* event : held_) gst_event_unref(event);
  gst_clear_caps(&caps_);
  gst_clear_buffer(&last_good_);
}

GstFlowReturn FilterOutput::Push(LineOutput output, const InputFormat* newest,
                                 const host::FrameRegion* region) {
  if (output.kind == LineOutput::Kind::kEvent) {
    return PushEvent(static_cast<GstEvent*>(output.event.release()), newest);
  }
  const InputFormat& format = *output.frame.format;
  GstBuffer* buffer = nullptr;
  bool announced = false;
  switch (output.kind) {
    case LineOutput::Kind::kResult:
      announced = Announce(format, output.result.width, output.result.height);
      buffer = MakeResult(output);
      break;
    case LineOutput::Kind::kRepeat:
      announced = Announce(format, output.result.width, output.result.height);
      buffer = MakeRepeat(output);
      break;
    default:
      announced = Announce(format, format.width, format.height);
      buffer = MakePassthrough(output, region);
      break;
  }
  if (!announced) {
    gst_buffer_unref(buffer);
    return GST_PAD_IS_FLUSHING(pad_) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  PushHeld();
  return gst_pad_push(pad_, buffer);
}

GstFlowReturn FilterOutput::PushEvent(GstEvent* event, const InputFormat* newest) {
  const GstEventType type = GST_EVENT_TYPE(event);
  const bool early = caps_ == nullptr && type != GST_EVENT_STREAM_START;
  const bool urgent = type == GST_EVENT_EOS || type == GST_EVENT_GAP || held_.size() >= kMaxHeld;
  if (early && !urgent) {
    held_.push_back(event);
    return GST_FLOW_OK;
  }
  if (early && newest != nullptr) Announce(*newest, newest->width, newest->height);
  PushHeld();
  gst_pad_push_event(pad_, event);
  return GST_FLOW_OK;
}

bool FilterOutput::Announce(const InputFormat& format, std::uint32_t width, std::uint32_t height) {
  GstCaps* caps = gst_caps_copy(CapsOf(format));
  gst_caps_set_simple(caps, "width", G_TYPE_INT, static_cast<gint>(width), "height", G_TYPE_INT,
                      static_cast<gint>(height), nullptr);
  if (caps_ != nullptr && gst_caps_is_equal(caps_, caps)) {
    gst_caps_unref(caps);
    return true;
  }
  gst_caps_take(&caps_, caps);
  return gst_pad_push_event(pad_, gst_event_new_caps(caps)) != FALSE;
}

void FilterOutput::PushHeld() {
  for (GstEvent* event : std::exchange(held_, {})) gst_pad_push_event(pad_, event);
}

GstBuffer* FilterOutput::MakeResult(LineOutput& output) {
  const gsize bytes = BytesOf(output);
  SlotLease* lease = output.frame.output.release();
  GstBuffer* buffer = nullptr;
  if (lease->region().output_counts().free == 0) {
    // Downstream keeps every other slot (an encoder that looks ahead, a deep queue) and may wait
    // for more frames before it drops one: without this copy both would wait for ever.
    buffer = gst_buffer_new_allocate(nullptr, bytes, nullptr);
    gst_buffer_fill(buffer, 0, lease->bytes().data(), bytes);
    delete lease;
    ++copies_;
  } else {
    buffer = WrapSlot(lease, bytes);
  }
  KeepResult(buffer, output);
  CopyFrameData(buffer, output);
  return buffer;
}

// A reference to the memory, if it can ever be needed: it costs a slot, and downstream the right to
// write in place.
void FilterOutput::KeepResult(GstBuffer* buffer, const LineOutput& output) {
  gst_clear_buffer(&last_good_);
  const bool same_size = output.result.width == output.frame.format->width &&
                         output.result.height == output.frame.format->height;
  const bool needed =
      on_missing_ == OnMissing::kRepeat || (on_missing_ == OnMissing::kPassthrough && !same_size);
  if (!needed) return;
  last_good_ = gst_buffer_new();
  gst_buffer_append_memory(last_good_, gst_buffer_get_memory(buffer, 0));
}

GstBuffer* FilterOutput::MakePassthrough(LineOutput& output, const host::FrameRegion* region) {
  // Ours alone again, unless the worker still reads it: then nobody may write into it.
  GstBuffer* source = gst_buffer_ref(static_cast<GstBuffer*>(output.frame.source.get()));
  output.frame.source.reset();
  const bool in_slot = region != nullptr && output.frame.packed != nullptr &&
                       InputSlotAt(*region, output.frame.packed).has_value();
  if (!in_slot || region->input_counts().free > 0) return source;
  // As above: if downstream keeps the last input slots, no frame can reach the worker any more.
  GstBuffer* copy = gst_buffer_copy_deep(source);
  gst_buffer_unref(source);
  ++copies_;
  return copy;
}

GstBuffer* FilterOutput::MakeRepeat(LineOutput& output) {
  GstBuffer* buffer = gst_buffer_new();
  if (output.newer) {
    gst_clear_buffer(&last_good_);
    last_good_ = WrapSlot(output.newer.release(), BytesOf(output));
  }
  gst_buffer_append_memory(buffer, gst_buffer_get_memory(last_good_, 0));
  CopyFrameData(buffer, output);
  return buffer;
}

void FilterOutput::Flush() {
  for (GstEvent* event : std::exchange(held_, {})) StoreSticky(pad_, event);
  gst_clear_buffer(&last_good_);
}

void StoreSticky(GstPad* pad, GstEvent* event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  if (GST_EVENT_IS_STICKY(event) && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS) {
    gst_pad_store_sticky_event(pad, event);
  }
  gst_event_unref(event);
}

const std::byte* PackedPixels(GstBuffer* buffer, std::uint32_t stride, std::size_t bytes) {
  if (gst_buffer_n_memory(buffer) != 1) return nullptr;
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta != nullptr && (meta->offset[0] != 0 || meta->stride[0] != static_cast<gint>(stride))) {
    return nullptr;
  }
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return nullptr;
  const auto* pixels = map.size >= bytes ? reinterpret_cast<const std::byte*>(map.data) : nullptr;
  gst_buffer_unmap(buffer, &map);
  return pixels;
}

bool CopySource(void* source, const InputFormat& format, std::span<std::byte> slot) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, CapsOf(format)) ||
      !gst_video_frame_map(&frame, &info, static_cast<GstBuffer*>(source), GST_MAP_READ)) {
    return false;
  }
  const std::size_t row = std::size_t{format.width} * protocol::BytesPerPixel(format.pixels);
  const std::size_t stride = protocol::RowBytes(format.pixels, format.width);
  const auto* from = static_cast<const std::byte*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  const auto from_stride = static_cast<std::ptrdiff_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));
  for (std::uint32_t y = 0; y < format.height; ++y) {
    std::memcpy(slot.data() + y * stride, from + y * from_stride, row);
  }
  gst_video_frame_unmap(&frame);
  return true;
}

}  // namespace framelock::plugins
