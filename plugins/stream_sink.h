// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstbasesink.h>

#include <chrono>
#include <cstddef>
#include <memory>

#include "plugins/segment_cutter.h"
#include "plugins/stream_element.h"

namespace framelock::plugins {

/// What a sink element writes to. Never waits for the network but in Close().
class SinkClient : public StreamClient {
 public:
  /// Streaming thread. An error ends the element; what a slow peer loses is none.
  virtual Status Send(GstElement* element, const SegmentCutter::Chunk& chunk) = 0;
  /// Sends what is queued and ends the stream: kCancelled at Interrupt().
  virtual Status Close() = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
};

class SinkModel : public StreamModel<SinkClient> {
 public:
  /// What upstream sends by its caps; null: none have come. An error: not what the peer wants.
  [[nodiscard]] virtual Result<SegmentCutter::Payload> PayloadOf(
      const GstStructure* caps) const = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds min_segment_duration() const { return {}; }
};

}  // namespace framelock::plugins

G_BEGIN_DECLS

/// The part that sinks share: cuts what comes at its keyframes and never waits for the network.
G_DECLARE_DERIVABLE_TYPE(FramelockStreamSink, framelock_stream_sink, FRAMELOCK, STREAM_SINK,
                         GstBaseSink)

struct _FramelockStreamSinkClass {
  GstBaseSinkClass parent_class;
  GstDebugCategory* category;
};

G_END_DECLS

namespace framelock::plugins {

inline constexpr guint kFirstSinkOption = StreamElement<SinkModel>::kFirstOption;

/// For the class_init of an element, which also sets the class's category.
void DescribeSink(FramelockStreamSinkClass* klass, const StreamTexts& texts);
/// For its instance_init.
void SetUpSink(FramelockStreamSink* self, std::unique_ptr<SinkModel> model);

}  // namespace framelock::plugins
