// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/frame_log.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "examples/frame_stamp.h"

namespace framelock::bench {

namespace {

constexpr std::int64_t kTicksPerSecond = 90'000;
constexpr std::size_t kAgreeing = 5;  // frames that settle an offset

}  // namespace

Result<std::unique_ptr<FrameLog>> FrameLog::Open(const std::string& url, ReadMark read_mark) {
  std::unique_ptr<FrameLog> log(new FrameLog(std::move(read_mark)));
  auto reader = demo::ChannelReader::Open(
      url, [raw = log.get()](const demo::ChannelReader::Frame& frame) { raw->OnFrame(frame); });
  if (!reader) return reader.error();
  log->reader_ = std::move(*reader);
  return log;
}

void FrameLog::OnFrame(const demo::ChannelReader::Frame& frame) {
  Entry entry{.pts_ticks = frame.pts_ticks};
  if (const auto read = demo::FindStamp(frame.picture)) {
    entry.number = read->stamp.number;
    entry.inverted = read->inverted;
  }
  if (read_mark_) entry.mark = read_mark_(frame.picture);
  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
  grown_.notify_all();
}

std::vector<FrameLog::Entry> FrameLog::All() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

bool FrameLog::WaitFor(std::size_t frames, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return grown_.wait_for(lock, timeout, [&] { return entries_.size() >= frames; });
}

std::int64_t PtsClock::TicksOf(std::int64_t number, int fps) {
  return (2 * number * kTicksPerSecond + fps) / (2 * fps);
}

std::int64_t PtsClock::NumberOf(std::int64_t pts_ticks) const {
  const double seconds =
      static_cast<double>(pts_ticks - offset_) / static_cast<double>(kTicksPerSecond);
  return std::llround(seconds * fps_);
}

std::int64_t PtsClock::ErrorOf(const FrameLog::Entry& entry) const {
  return entry.pts_ticks - offset_ - TicksOf(entry.number.value_or(0), fps_);
}

std::optional<PtsClock> PtsClock::Settle(const std::vector<FrameLog::Entry>& entries, int fps) {
  std::size_t agreeing = 0;
  std::int64_t offset = 0;
  for (const FrameLog::Entry& entry : entries) {
    if (!entry.number) continue;
    const std::int64_t found = entry.pts_ticks - TicksOf(*entry.number, fps);
    agreeing = agreeing > 0 && std::abs(found - offset) <= 1 ? agreeing + 1 : 1;
    if (agreeing == 1) offset = found;
    if (agreeing == kAgreeing) return PtsClock(fps, offset);
  }
  return std::nullopt;
}

Result<PtsClock> PtsClock::Find(const std::string& url, int fps,
                                std::chrono::milliseconds timeout) {
  auto log = FrameLog::Open(url);
  if (!log) return log.error();
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  for (std::size_t frames = kAgreeing;
       (*log)->WaitFor(frames, std::chrono::duration_cast<std::chrono::milliseconds>(
                                   deadline - std::chrono::steady_clock::now()));
       ++frames) {
    if (const auto clock = Settle((*log)->All(), fps)) return *clock;
  }
  return Error{ErrorCode::kTimeout, url + ": no pictures whose times agree with their numbers"};
}

}  // namespace framelock::bench
