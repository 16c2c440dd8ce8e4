// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "examples/frame_pairs.h"
#include "pipeline/core/result.h"

namespace framelock::demo {

/// Writes a picture as PNG with GStreamer's encoder. Blocks until the file is there.
Status WritePng(const Picture& picture, const std::string& path);

}  // namespace framelock::demo
