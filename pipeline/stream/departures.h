// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "pipeline/core/clock.h"

namespace framelock::stream {

/// Whether what workerfilter has given out is still on its way through the encoder and what waits
/// behind it, or has left for the muxer: once a prompt is said to be applied, nothing of an older
/// one may come out. A frame is known by its running time. Thread-safe.
class Departures {
 public:
  using Time = std::chrono::nanoseconds;
  struct Options {
    std::chrono::milliseconds publish_lag{10};  // from there to whoever reads the stream
    std::chrono::milliseconds most{500};        // that is waited for a frame, which may be lost
  };

  explicit Departures(const Options& options) : options_(options) {}
  Departures() : Departures(Options{}) {}

  void OnMade(Time frame);
  void OnLeft(Time frame, SteadyTime now);

  /// Blocks until all that was made before the call is published, or Stop().
  void Await();
  /// Ends all waiting, for good.
  void Stop();

  /// Follows the frames from one pad to the other. This must outlive their last buffers.
  void Watch(GstPad* made, GstPad* left);

 private:
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Time> made_, left_;  // the last ones
  SteadyTime left_at_{};
  bool stopped_ = false;
};

}  // namespace framelock::stream
