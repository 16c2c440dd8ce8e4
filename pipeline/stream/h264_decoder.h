// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include "pipeline/core/result.h"
#include "pipeline/stream/codec_element.h"

namespace framelock::stream {

/// From whole access units of H.264 to pictures, each as soon as its access unit is there.
/// Named "decoder".
/// Floating.
Result<GstElement*> MakeH264Decoder(Hardware hardware);

}  // namespace framelock::stream
