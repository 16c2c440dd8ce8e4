// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "tests/bench/end_to_end/frame_arrivals.h"
#include "tests/bench/end_to_end/frame_log.h"

namespace framelock::bench {

/// A frame that a reader of the output got, whole.
struct PublishedFrame {
  std::int64_t number = 0;  // of the source's frame, by its pixels
  std::int64_t pts_ticks = 0;
  SteadyTime arrived;  // its last packet
  bool inverted = false;
  int mark = 0;
};

/// All that a channel showed, and whether it was right.
struct Published {
  std::vector<PublishedFrame> frames;  // in the order of arrival
  std::uint64_t wrong = 0;             // unreadable, or not of the time that they carry
  std::uint64_t out_of_order = 0;      // at or before the time of the one before
  std::int64_t pts_error_ticks = 0;    // the largest, of frames that are not wrong
};

/// Watches one channel in two ways at once: when bytes come, and what they show.
class OutputWatch {
 public:
  static Result<std::unique_ptr<OutputWatch>> Open(const std::string& url, int fps,
                                                   FrameLog::ReadMark read_mark = {});

  [[nodiscard]] bool WaitFor(std::size_t frames, std::chrono::milliseconds timeout) const {
    return log_->WaitFor(frames, timeout);
  }
  /// kUnavailable: too few frames to tell their time.
  [[nodiscard]] Result<Published> Read() const;

 private:
  OutputWatch(int fps, std::unique_ptr<FrameArrivals> arrivals, std::unique_ptr<FrameLog> log)
      : fps_(fps), arrivals_(std::move(arrivals)), log_(std::move(log)) {}

  int fps_;
  std::unique_ptr<FrameArrivals> arrivals_;
  std::unique_ptr<FrameLog> log_;
};

}  // namespace framelock::bench
