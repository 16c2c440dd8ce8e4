// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/frame_arrivals.h"

#include <span>
#include <utility>

namespace framelock::bench {

namespace {

// The time in the header of a video's PES packet (ISO/IEC 13818-1, 2.4.3.6); nullopt: no such one
// begins here.
std::optional<std::int64_t> VideoPts(const TsHeader& header) {
  const std::span<const std::uint8_t> pes = header.payload();
  if (!header.starts_unit() || pes.size() < 14) return std::nullopt;
  const bool video = pes[0] == 0 && pes[1] == 0 && pes[2] == 1 && (pes[3] & 0xF0) == 0xE0;
  if (!video || (pes[7] & 0x80) == 0) return std::nullopt;
  const auto bits = [&](int at) {
    return static_cast<std::int64_t>(pes[static_cast<unsigned>(at)]);
  };
  return (bits(9) >> 1 & 0x07) << 30 | bits(10) << 22 | bits(11) >> 1 << 15 | bits(12) << 7 |
         bits(13) >> 1;
}

}  // namespace

Result<std::unique_ptr<FrameArrivals>> FrameArrivals::Open(const std::string& url) {
  auto subscriber = trickle::Subscriber::Open(
      {.url = url,
       .retry_initial = std::chrono::milliseconds(20),  // of a channel that is not there yet
       .retry_max = std::chrono::milliseconds(100)});
  if (!subscriber) return subscriber.error();
  std::unique_ptr<FrameArrivals> arrivals(new FrameArrivals(std::move(*subscriber)));
  arrivals->thread_ = std::jthread([reader = arrivals.get()] { reader->Read(); });
  return arrivals;
}

FrameArrivals::~FrameArrivals() { subscriber_->Interrupt(); }

void FrameArrivals::Read() {
  for (;;) {
    const Result<trickle::Piece> piece = subscriber_->Read();
    if (!piece) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (piece->discontinuity) {
      packets_.Clear();
      frame_.reset();
    }
    packets_.Push(piece->bytes, [&](const TsPacket& packet) { OnPacket(packet, now); });
  }
}

void FrameArrivals::OnPacket(const TsPacket& packet, SteadyTime now) {
  const TsHeader header(packet);
  const std::optional<std::int64_t> pts = VideoPts(header);
  if (pts && !pid_) pid_ = header.pid();
  if (header.pid() != pid_) return;
  if (!pts) {
    if (frame_) frame_->last = now;
    return;
  }
  if (frame_) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(*frame_);
    grown_.notify_all();
  }
  frame_ = Arrival{.pts_ticks = *pts, .first = now, .last = now};
}

std::vector<FrameArrivals::Arrival> FrameArrivals::All() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::size_t FrameArrivals::size() const {
  const std::lock_guard lock(mutex_);
  return frames_.size();
}

bool FrameArrivals::WaitFor(std::size_t frames, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return grown_.wait_for(lock, timeout, [&] { return frames_.size() >= frames; });
}

}  // namespace framelock::bench
