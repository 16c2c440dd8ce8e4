// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/base/gstpushsrc.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "plugins/stream_element.h"

namespace framelock::plugins {

/// What a source element reads from.
class SourceClient : public StreamClient {
 public:
  struct Piece {
    std::vector<std::byte> bytes;
    bool discontinuity = false;  // bytes before these were missed
  };
  /// Waits for the next bytes: kClosed at the orderly end, kCancelled at Interrupt(), kTimeout: ask
  /// again. Streaming thread.
  virtual Result<Piece> Read() = 0;
  /// The piece just read came after a hole. Streaming thread.
  virtual void ReportGap(GstElement* element, gboolean new_timeline) = 0;
};
using SourceModel = StreamModel<SourceClient>;

}  // namespace framelock::plugins

G_BEGIN_DECLS

/// The part that live sources of bytes share: buffers with offsets and DISCONT, caps, no seeking.
G_DECLARE_DERIVABLE_TYPE(FramelockStreamSource, framelock_stream_source, FRAMELOCK, STREAM_SOURCE,
                         GstPushSrc)

struct _FramelockStreamSourceClass {
  GstPushSrcClass parent_class;
};

G_END_DECLS

namespace framelock::plugins {

inline constexpr guint kFirstSourceOption = StreamElement<SourceModel>::kFirstOption;

/// For the class_init of an element.
void DescribeSource(FramelockStreamSourceClass* klass, const StreamTexts& texts,
                    const char* caps_text);
/// For its instance_init.
void SetUpSource(FramelockStreamSource* self, std::unique_ptr<SourceModel> model);

}  // namespace framelock::plugins
