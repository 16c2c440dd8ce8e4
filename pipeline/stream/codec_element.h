// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::stream {

enum class Hardware : std::uint8_t { kNever, kAllowed };

/// One way to decode or encode: an element, and its properties as text. A property that the
/// installed version does not have is left as it is.
struct CodecElement {
  const char* factory;
  std::vector<std::pair<const char*, std::string>> settings;
};

/// The first of `hardware` that GStreamer has and that starts (its device opens), else `software`.
/// Floating, in state NULL. kNotFound: not even the software one is there.
Result<GstElement*> MakeCodec(std::span<const CodecElement> hardware, const CodecElement& software);

}  // namespace framelock::stream
