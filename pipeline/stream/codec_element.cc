// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/codec_element.h"

#include <spdlog/spdlog.h>

#include "pipeline/stream/elements.h"
#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

namespace {

void Apply(const CodecElement& codec, GstElement* element) {
  for (const auto& [name, value] : codec.settings) {
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) == nullptr) continue;
    gst_util_set_object_arg(G_OBJECT(element), name, value.c_str());
  }
}

// Null: GStreamer has no such element, or its device does not open.
GstElement* TryHardware(const CodecElement& codec) {
  GstElement* element = gst_element_factory_make(codec.factory, nullptr);
  if (element == nullptr) return nullptr;
  Apply(codec, element);
  const bool starts = gst_element_set_state(element, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state(element, GST_STATE_NULL);
  if (starts) return element;
  spdlog::warn("{} is there but does not start", codec.factory);
  const ElementPtr unused(GST_ELEMENT(gst_object_ref_sink(element)));
  return nullptr;
}

}  // namespace

Result<GstElement*> MakeCodec(std::span<const CodecElement> hardware,
                              const CodecElement& software) {
  for (const CodecElement& codec : hardware) {
    if (GstElement* element = TryHardware(codec)) {
      spdlog::info("{} runs in hardware", codec.factory);
      return element;
    }
  }
  Result<GstElement*> element = MakeElement(software.factory);
  if (element) Apply(software, *element);
  return element;
}

}  // namespace framelock::stream
