// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "plugins/frame_line.h"
#include "tests/support/fake_clock.h"

namespace framelock::plugins {

/// Cargo whose address is its number, and which counts how often it was released.
class Cargos {
 public:
  Cargo Make(int number) {
    auto* cargo = new Numbered{number, this};
    ++alive_;
    return {cargo, [](void* c) {
              auto* numbered = static_cast<Numbered*>(c);
              --numbered->owner->alive_;
              delete numbered;
            }};
  }
  static int NumberOf(const auto& cargo) { return static_cast<Numbered*>(cargo.get())->number; }
  [[nodiscard]] int alive() const { return alive_; }

 private:
  struct Numbered {
    int number;
    Cargos* owner;
  };
  int alive_ = 0;
};

/// A line of frames of 4 x 4, a clock, and what goes in and out of the line in few words.
class FrameLineTest : public testing::Test {
 protected:
  /// As ready, so that the time matters to no test that is not about it.
  void Make(FrameLine::Options options) {
    options.cadence = Cadence::kAsReady;
    line_.emplace(options);
  }

  void MakePaced(const FrameLine::Options& options) { line_.emplace(options); }

  FrameSequence Enter() {
    LineFrame frame;
    frame.source = cargos_.Make(static_cast<int>(++entered_));
    frame.format = format_;
    return line_->Enter(std::move(frame), clock_.Now());
  }
  FrameSequence Submit() {
    LineFrame* frame = line_->NextToSubmit();
    EXPECT_NE(frame, nullptr);
    const FrameSequence sequence = frame->sequence;
    line_->Submitted(clock_.Now());
    return sequence;
  }
  FrameLine::Answer Complete(FrameSequence sequence, std::uint64_t revision = 1) {
    return line_->Complete(sequence, {width_, 4, revision}, clock_.Now());
  }
  /// Everything that may leave now, as text: "r3" is the result of frame 3, "p" a passthrough,
  /// "c" a repetition (copy), "e" an event.
  std::string Taken() {
    std::string text;
    while (auto output = line_->Take(clock_.Now())) {
      if (!text.empty()) text += ' ';
      if (output->kind == LineOutput::Kind::kEvent) {
        text += 'e' + std::to_string(Cargos::NumberOf(output->event));
        continue;
      }
      text += output->kind == LineOutput::Kind::kResult   ? 'r'
              : output->kind == LineOutput::Kind::kRepeat ? 'c'
                                                          : 'p';
      text += std::to_string(output->frame.sequence.value);
      // The frame still has the source that it came with.
      EXPECT_EQ(Cargos::NumberOf(output->frame.source),
                static_cast<int>(output->frame.sequence.value));
    }
    return text;
  }
  void Process() {
    Enter();
    Complete(Submit());
  }

  Cargos cargos_;
  FakeClock clock_;
  std::uint32_t width_ = 4;
  std::uint64_t entered_ = 0;
  std::shared_ptr<const InputFormat> format_ = std::make_shared<const InputFormat>(
      InputFormat{.id = 1, .width = 4, .height = 4, .caps = NoCargo()});
  std::optional<FrameLine> line_;
};

}  // namespace framelock::plugins
