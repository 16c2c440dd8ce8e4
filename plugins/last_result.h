// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "plugins/line_frame.h"

namespace framelock::plugins {

/// The result that may be shown again in the place of a missing one. Plain logic; the owner locks.
class LastResult {
 public:
  /// `frame`'s result goes downstream, which keeps its pixels.
  void Published(const LineFrame& frame, const FrameResult& result) {
    good_ = size_ = Good{frame.sequence, FormatOf(frame), result};
    newer_.reset();
  }
  /// A result that came when its place was gone: newer than what was shown, so it may be shown in
  /// the place of others.
  void CameLate(LineFrame frame, const FrameResult& result) {
    if (good_ && frame.sequence < good_->sequence) return;
    good_ = size_ = Good{frame.sequence, FormatOf(frame), result};
    newer_ = std::move(frame.output);
  }
  void DropOlder(std::uint64_t revision) {
    if (good_ && good_->result.revision < revision) Drop();
  }
  void Drop() {
    good_.reset();
    newer_.reset();
  }

  /// Fills in what stands for `output.frame`: a repetition, or its source.
  void StandIn(OnMissing on_missing, LineOutput& output) {
    const InputFormat* format = output.frame.format.get();
    const std::uint64_t id = FormatOf(output.frame);
    // A picture of another format is no replacement, and a stream whose results have another size
    // than its input would change caps twice for each missing frame.
    const bool same_size =
        format == nullptr || !size_ || size_->format != id ||
        (size_->result.width == format->width && size_->result.height == format->height);
    const bool may_repeat = good_ && good_->format == id;
    if (!may_repeat || (on_missing != OnMissing::kRepeat && same_size)) {
      output.kind = LineOutput::Kind::kPassthrough;
      return;
    }
    output.kind = LineOutput::Kind::kRepeat;
    output.result = good_->result;
    output.newer = std::move(newer_);
  }

 private:
  struct Good {
    FrameSequence sequence;
    std::uint64_t format;
    FrameResult result;
  };
  static std::uint64_t FormatOf(const LineFrame& frame) {
    return frame.format ? frame.format->id : 0;
  }

  std::optional<Good> good_;          // may be shown again
  std::optional<Good> size_;          // of the last result, whatever its revision
  std::unique_ptr<SlotLease> newer_;  // the pixels of good_, unless downstream has them
};

}  // namespace framelock::plugins
