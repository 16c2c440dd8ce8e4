// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/stamped_source.h"

#include <chrono>
#include <utility>

#include "examples/frame_stamp.h"
#include "examples/test_picture.h"

namespace framelock::bench {

namespace {

using std::chrono::nanoseconds;

constexpr int kPictures = 16;

nanoseconds TimeOf(std::int64_t number, int fps) {
  return nanoseconds(number * 1'000'000'000 / fps);
}

// 0 1 2 … 15 14 … 1 0 1 …: the picture moves on without a jump.
std::size_t ToAndFro(std::int64_t number) {
  const std::int64_t at = number % (2 * kPictures - 2);
  return static_cast<std::size_t>(at < kPictures ? at : 2 * kPictures - 2 - at);
}

}  // namespace

StampedSource::StampedSource(const SourceEncoder::Options& options,
                             std::unique_ptr<SourceEncoder> encoder)
    : options_(options), encoder_(std::move(encoder)) {}

Result<std::unique_ptr<StampedSource>> StampedSource::Start(const SourceEncoder::Options& options,
                                                            Encoder encoder) {
  auto made = encoder == Encoder::kGst ? MakeGstEncoder(options) : MakeFfmpegEncoder(options);
  if (!made) return made.error();
  std::unique_ptr<StampedSource> source(new StampedSource(options, std::move(*made)));
  source->DrawPictures();
  source->thread_ =
      std::jthread([raw = source.get()](const std::stop_token& stop) { raw->Run(stop); });
  return source;
}

StampedSource::~StampedSource() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void StampedSource::DrawPictures() {
  for (int i = 0; i < kPictures; ++i) {
    const auto clock =
        std::chrono::duration_cast<std::chrono::milliseconds>(TimeOf(i, options_.fps));
    demo::Picture picture{.width = options_.width, .height = options_.height, .rgb = {}};
    picture.rgb.resize(static_cast<std::size_t>(options_.width) * 3 *
                       static_cast<std::size_t>(options_.height));
    pictures_.push_back(std::move(picture));
    demo::DrawTestPicture(pictures_.back().View(),
                          {.number = static_cast<std::uint32_t>(i), .clock = clock});
  }
}

void StampedSource::Run(const std::stop_token& stop) {
  const SteadyTime start = std::chrono::steady_clock::now();
  for (std::int64_t number = 0; !stop.stop_requested(); ++number) {
    const nanoseconds time = TimeOf(number, options_.fps);
    demo::Picture& picture = pictures_[ToAndFro(number)];
    demo::DrawStamp(picture.View(), {.number = static_cast<std::uint32_t>(number)});
    std::this_thread::sleep_until(start + time);
    {
      const std::lock_guard lock(mutex_);
      encoded_at_.push_back(std::chrono::steady_clock::now());
    }
    Status pushed = encoder_->Push(picture.View(), time);
    if (pushed.ok()) continue;
    const std::lock_guard lock(mutex_);
    status_ = std::move(pushed);
    return;
  }
}

std::optional<SteadyTime> StampedSource::EncodedAt(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  if (number < 0 || static_cast<std::size_t>(number) >= encoded_at_.size()) return std::nullopt;
  return encoded_at_[static_cast<std::size_t>(number)];
}

std::int64_t StampedSource::last_number() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(encoded_at_.size()) - 1;
}

Status StampedSource::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace framelock::bench
