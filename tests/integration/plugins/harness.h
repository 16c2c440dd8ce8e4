// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/check/gstharness.h>

#include <memory>
#include <string>

namespace framelock::testing {

struct HarnessTeardown {
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};
using HarnessPtr = std::unique_ptr<GstHarness, HarnessTeardown>;

/// A harness around a source or sink that is described as in gst-launch. A sink plays at once.
HarnessPtr SourceHarness(const std::string& description);
HarnessPtr SinkHarness(const std::string& description, const char* caps);

std::string BytesOf(GstBuffer* buffer);
/// Takes the buffer.
std::string TakeBytes(GstBuffer* buffer);
GstBuffer* BufferOf(const std::string& bytes, guint flags = 0);
/// Waits for EOS.
bool PullEos(GstHarness* harness);

}  // namespace framelock::testing
