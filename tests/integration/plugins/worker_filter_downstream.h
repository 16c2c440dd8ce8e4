// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <semaphore>

namespace framelock::plugins {

// A downstream that takes a buffer only when it is let.
struct GatedDownstream {
  std::counting_semaphore<> permits{0};
  std::atomic<int> entered = 0;

  void Put(GstElement* element) {
    GstPad* pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnBuffer, this, nullptr);
    gst_object_unref(pad);
  }
  static GstPadProbeReturn OnBuffer(GstPad*, GstPadProbeInfo*, gpointer user_data) {
    auto* downstream = static_cast<GatedDownstream*>(user_data);
    ++downstream->entered;
    downstream->permits.acquire();
    return GST_PAD_PROBE_OK;
  }
};

// A downstream that answers each buffer with `flow`, and takes it if that is OK.
struct Refusal {
  std::atomic<GstFlowReturn> flow;
  std::atomic<int> buffers = 0;

  void Put(GstElement* element) {
    GstPad* pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnBuffer, this, nullptr);
    gst_object_unref(pad);
  }
  static GstPadProbeReturn OnBuffer(GstPad*, GstPadProbeInfo* info, gpointer user_data) {
    auto* refusal = static_cast<Refusal*>(user_data);
    if (refusal->flow == GST_FLOW_OK) return GST_PAD_PROBE_OK;
    gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = refusal->flow;
    ++refusal->buffers;
    return GST_PAD_PROBE_HANDLED;
  }
};

}  // namespace framelock::plugins
