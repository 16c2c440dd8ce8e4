// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/core/ts_packet.h"
#include "trickle/subscriber.h"

namespace framelock::bench {

/// Reads a trickle channel and notes when the bytes of each video frame came, without decoding
/// any. A frame is known to be whole when the next one begins; its time is that of its own last
/// packet. Owns a thread and, in the subscriber, another.
class FrameArrivals {
 public:
  struct Arrival {
    std::int64_t pts_ticks = 0;  // 90 kHz
    SteadyTime first, last;      // of its packets
  };

  static Result<std::unique_ptr<FrameArrivals>> Open(const std::string& url);
  ~FrameArrivals();
  FrameArrivals(const FrameArrivals&) = delete;
  FrameArrivals& operator=(const FrameArrivals&) = delete;

  /// Of all frames so far, in order.
  [[nodiscard]] std::vector<Arrival> All() const;
  [[nodiscard]] std::size_t size() const;
  /// False if there are fewer after `timeout`.
  [[nodiscard]] bool WaitFor(std::size_t frames, std::chrono::milliseconds timeout) const;

 private:
  explicit FrameArrivals(std::unique_ptr<trickle::Subscriber> subscriber)
      : subscriber_(std::move(subscriber)) {}
  void Read();
  void OnPacket(const TsPacket& packet, SteadyTime now);

  std::unique_ptr<trickle::Subscriber> subscriber_;
  TsPacketReader packets_;            // reading thread
  std::optional<std::uint16_t> pid_;  // likewise
  std::optional<Arrival> frame_;      // the one that comes; likewise
  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  std::vector<Arrival> frames_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace framelock::bench
