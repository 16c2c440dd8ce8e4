// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstddef>

namespace framelock::stream {

/// A PES packet tells its length only up to 64 KiB. Where a larger one ends a reader sees at once
/// if its last transport packet is not full, else when the next one comes, a frame later. So access
/// units that would end on a packet's edge get zero bytes behind them, which H.264 allows
/// (trailing_zero_8bits).

/// How many zero bytes an access unit of this size needs, whatever the muxer writes in front of it.
std::size_t FillerBytes(std::size_t access_unit_bytes);

/// Adds them to what leaves `pad`, whose buffers are access units as a byte stream.
void InstallPesFiller(GstPad* pad);

}  // namespace framelock::stream
