// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "pipeline/core/ts_stamps.h"

namespace framelock::stream {

/// Puts a demuxer's times on one line. tsdemux counts the wraps of 33-bit stamps, but now and then
/// gives out a time from the other side of one. Not thread-safe.
class PtsUnwrap {
 public:
  using Pts = std::chrono::nanoseconds;

  /// The time that differs from `pts` by whole wraps and is the nearest to the last one.
  Pts operator()(Pts pts) {
    if (last_) {
      const auto from_last = std::chrono::duration_cast<TsTicks>(pts - *last_);
      constexpr TsTicks kWrap{TsStamp::kRange};
      const auto wraps = (from_last + (from_last < TsTicks(0) ? -kWrap / 2 : kWrap / 2)) / kWrap;
      pts -= std::chrono::duration_cast<Pts>(wraps * kWrap);
    }
    last_ = pts;
    return pts;
  }

 private:
  std::optional<Pts> last_;
};

}  // namespace framelock::stream
