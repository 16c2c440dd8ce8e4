// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace framelock::testing {

struct GstObjectUnref {
  template <typename T>
  void operator()(T* object) const {
    gst_object_unref(object);
  }
};
using ElementPtr = std::unique_ptr<GstElement, GstObjectUnref>;

/// What a pipeline said last.
struct BusVerdict {
  bool eos = false;
  std::string error;                            // empty: none
  GQuark domain = 0;                            // of the error
  gint code = 0;                                // of the error
  std::vector<GstStructure*> element_messages;  // before it; owned by the pipeline
};

/// A pipeline in gst-launch syntax, stopped by its destructor.
class TestPipeline {
 public:
  explicit TestPipeline(const std::string& description);
  ~TestPipeline();

  GstStateChangeReturn SetState(GstState state) {
    return gst_element_set_state(pipeline_.get(), state);
  }
  /// To PLAYING, then waits for EOS or an error.
  BusVerdict Run(std::chrono::seconds timeout = std::chrono::seconds(30));
  BusVerdict Wait(std::chrono::seconds timeout = std::chrono::seconds(30));
  /// Time to NULL.
  std::chrono::milliseconds Stop();
  [[nodiscard]] ElementPtr Element(const char* name) const;

  /// Counts the buffers that leave or enter the element's pad from now on; the timestamps too.
  struct Tap {
    std::mutex mutex;
    std::vector<GstClockTime> pts;
    std::vector<bool> discont;
    std::string bytes;
    std::size_t count() {
      const std::lock_guard lock(mutex);
      return pts.size();
    }
  };
  Tap& TapPad(const char* element, const char* pad);
  /// A copy of the element's statistics.
  [[nodiscard]] guint64 Stat(const char* element, const char* field) const;

 private:
  ElementPtr pipeline_;
  std::vector<std::unique_ptr<Tap>> taps_;
  std::vector<GstStructure*> messages_;
};

/// One field of an element's "stats".
guint64 StatOf(GstElement* element, const char* field);
std::string LastErrorOf(GstElement* element);

}  // namespace framelock::testing
