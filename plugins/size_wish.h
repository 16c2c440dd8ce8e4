// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "plugins/line_frame.h"

namespace framelock::plugins {

/// Of frames, in pixels.
struct FrameSize {
  std::uint32_t width = 0, height = 0;
  bool operator==(const FrameSize&) const = default;
};

/// The size that upstream was asked for last: no frame of another one is for the prompt that it
/// came with, or for newer ones. Plain logic; the owner locks.
class SizeWish {
 public:
  /// Frames of another size between the wish and the first that has it: what was on its way
  /// already. More, and upstream does not mean to change.
  static constexpr std::size_t kMostHeld = 8;

  void Ask(FrameSize size, std::uint64_t revision) {
    wish_ = Wish{size, revision};
    held_ = 0;
  }
  void Forget() { wish_.reset(); }
  /// It holds for whatever prompt runs from now on: another worker counts revisions on its own.
  void TakeAnyRevision() {
    if (wish_) wish_->revision = 0;
  }

  /// Whether frames of this size are what is wished for, when they have `format` (or none yet).
  [[nodiscard]] bool Asks(FrameSize size, const InputFormat* format) const {
    return wish_ ? wish_->size == size : format != nullptr && SizeOf(*format) == size;
  }
  [[nodiscard]] bool Fits(const InputFormat& format) const {
    return !wish_ || SizeOf(format) == wish_->size;
  }
  /// Whether a result of this revision, made of a frame of this format, is not to be shown.
  [[nodiscard]] bool Excludes(const InputFormat& format, std::uint64_t revision) const {
    return !Fits(format) && revision >= wish_->revision;
  }
  /// A frame came; false: too many had another size.
  bool Bears(const InputFormat& format) {
    held_ = Fits(format) ? 0 : held_ + 1;
    return held_ <= kMostHeld;
  }

 private:
  struct Wish {
    FrameSize size;
    std::uint64_t revision;
  };
  static FrameSize SizeOf(const InputFormat& format) { return {format.width, format.height}; }

  std::optional<Wish> wish_;
  std::size_t held_ = 0;  // in a row
};

}  // namespace framelock::plugins
