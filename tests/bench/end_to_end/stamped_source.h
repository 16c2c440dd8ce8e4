// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "examples/frame_pairs.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "tests/bench/end_to_end/source_encoder.h"

namespace framelock::bench {

/// A live camera: publishes the demo's moving picture at an even rate, each frame with its number
/// in its pixels, and remembers when it gave which raw picture to the encoder. Owns a thread.
class StampedSource {
 public:
  enum class Encoder : std::uint8_t { kGst, kFfmpeg };

  static Result<std::unique_ptr<StampedSource>> Start(const SourceEncoder::Options& options,
                                                      Encoder encoder = Encoder::kGst);
  ~StampedSource();
  StampedSource(const StampedSource&) = delete;
  StampedSource& operator=(const StampedSource&) = delete;

  [[nodiscard]] std::optional<SteadyTime> EncodedAt(std::int64_t number) const;
  /// Of the last frame so far; negative before the first.
  [[nodiscard]] std::int64_t last_number() const;
  /// Why it stopped, if it did.
  [[nodiscard]] Status status() const;

 private:
  StampedSource(const SourceEncoder::Options& options, std::unique_ptr<SourceEncoder> encoder);
  void DrawPictures();
  void Run(const std::stop_token& stop);

  const SourceEncoder::Options options_;
  std::unique_ptr<SourceEncoder> encoder_;
  std::vector<demo::Picture> pictures_;  // shown to and fro, so that drawing costs nothing later
  mutable std::mutex mutex_;
  std::vector<SteadyTime> encoded_at_;
  Status status_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace framelock::bench
