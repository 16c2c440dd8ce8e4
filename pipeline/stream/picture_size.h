// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

namespace framelock::stream {

/// What a stream's caps say about its pictures.
struct PictureSize {
  gint width = 0, height = 0;

  [[nodiscard]] std::int64_t pixels() const { return std::int64_t{width} * height; }

  /// nullopt unless the event brings caps that tell.
  static std::optional<PictureSize> Of(GstEvent* event) {
    if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return std::nullopt;
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const GstStructure* format = gst_caps_get_structure(caps, 0);
    PictureSize size;
    const bool known = gst_structure_get_int(format, "width", &size.width) != 0 &&
                       gst_structure_get_int(format, "height", &size.height) != 0;
    return known ? std::optional(size) : std::nullopt;
  }
};

}  // namespace framelock::stream
