// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <optional>

namespace framelock::stream {

/// Two places of the pipeline that mean the same frame differ by less: the output adds half a
/// 90 kHz tick.
inline constexpr std::chrono::nanoseconds kSameFrame = std::chrono::microseconds(20);

/// Of a buffer on this pad; nullopt: it has none.
std::optional<std::chrono::nanoseconds> RunningTime(GstPad* pad, const GstBuffer* buffer);

}  // namespace framelock::stream
