// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>

namespace framelock::stream {

/// Owners of GStreamer's counted things: one reference each, given back by the destructor.
struct GstRelease {
  void operator()(GstElement* element) const { gst_object_unref(element); }
  void operator()(GstPad* pad) const { gst_object_unref(pad); }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstEvent* event) const { gst_event_unref(event); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};

using ElementPtr = std::unique_ptr<GstElement, GstRelease>;
using PadPtr = std::unique_ptr<GstPad, GstRelease>;
using BusPtr = std::unique_ptr<GstBus, GstRelease>;
using BufferPtr = std::unique_ptr<GstBuffer, GstRelease>;
using CapsPtr = std::unique_ptr<GstCaps, GstRelease>;
using MessagePtr = std::unique_ptr<GstMessage, GstRelease>;
using EventPtr = std::unique_ptr<GstEvent, GstRelease>;
using SamplePtr = std::unique_ptr<GstSample, GstRelease>;
using StructurePtr = std::unique_ptr<GstStructure, GstRelease>;

}  // namespace framelock::stream
