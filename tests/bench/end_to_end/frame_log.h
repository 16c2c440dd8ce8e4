// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "examples/channel_reader.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"

namespace framelock::bench {

/// Decodes a channel and keeps what each picture says of itself. Owns a pipeline.
class FrameLog {
 public:
  struct Entry {
    std::int64_t pts_ticks = 0;           // 90 kHz
    std::optional<std::uint32_t> number;  // of the source's frame, by its pixels
    bool inverted = false;
    int mark = 0;  // what the caller reads from the picture
  };
  using ReadMark = std::function<int(const demo::PictureView&)>;

  static Result<std::unique_ptr<FrameLog>> Open(const std::string& url, ReadMark read_mark = {});
  FrameLog(const FrameLog&) = delete;
  FrameLog& operator=(const FrameLog&) = delete;

  [[nodiscard]] std::vector<Entry> All() const;
  [[nodiscard]] bool WaitFor(std::size_t frames, std::chrono::milliseconds timeout) const;

 private:
  explicit FrameLog(ReadMark read_mark) : read_mark_(std::move(read_mark)) {}
  void OnFrame(const demo::ChannelReader::Frame& frame);

  const ReadMark read_mark_;
  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  std::vector<Entry> entries_;
  std::unique_ptr<demo::ChannelReader> reader_;  // last: its thread uses all the others
};

/// Which pts which frame of the source has in one channel: a constant offset, and at most a tick
/// of rounding.
class PtsClock {
 public:
  PtsClock(int fps, std::int64_t offset_ticks) : fps_(fps), offset_(offset_ticks) {}

  /// From the first pictures that agree; nullopt: there are too few.
  static std::optional<PtsClock> Settle(const std::vector<FrameLog::Entry>& entries, int fps);
  /// Decodes the channel until it is settled. kTimeout: no such pictures.
  static Result<PtsClock> Find(const std::string& url, int fps, std::chrono::milliseconds timeout);

  [[nodiscard]] std::int64_t NumberOf(std::int64_t pts_ticks) const;
  /// In ticks; 0 when the time is exactly that of the frame.
  [[nodiscard]] std::int64_t ErrorOf(const FrameLog::Entry& entry) const;
  /// Source's time of frame `number`.
  [[nodiscard]] static std::int64_t TicksOf(std::int64_t number, int fps);

 private:
  int fps_;
  std::int64_t offset_;
};

}  // namespace framelock::bench
