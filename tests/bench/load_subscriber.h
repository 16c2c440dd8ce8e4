// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/load_stamp.h"
#include "tests/bench/trickle_load.h"

namespace framelock::bench {

/// Reads one channel from segment 0 to the last and checks every chunk's place.
class LoadSubscriber {
 public:
  /// The figures are shared by all subscribers of a run.
  LoadSubscriber(LoadLoop& loop, const LoadOptions& options, LoadFigures& figures,
                 std::uint32_t channel, const std::string& name);
  LoadSubscriber(const LoadSubscriber&) = delete;
  LoadSubscriber& operator=(const LoadSubscriber&) = delete;

  void Start() { Ask(0); }
  /// All segments were read.
  [[nodiscard]] bool done() const { return ended_ == options_.segments; }
  /// It can read no further: the server dropped what it was to read next, or the connection.
  [[nodiscard]] bool fell_behind() const;
  /// What was wrong in what it read, if anything.
  [[nodiscard]] const std::optional<std::string>& wrong() const { return wrong_; }

 private:
  struct Line {
    Line(LoadSubscriber& owner, LoadLoop& loop);
    LoadConnection connection;
    std::uint32_t segment = 0;
    std::size_t chunk_offset = 0;  // bytes of the current chunk so far
    std::uint32_t chunk = 0;
    LoadStamp stamp;
    [[nodiscard]] bool untouched() const { return chunk == 0 && chunk_offset == 0; }
  };

  void Ask(std::uint32_t segment);
  void AskNextIfFree();
  void OnHead(Line& line);
  void OnBytes(Line& line, std::string_view bytes);
  void OnFirstByte(std::uint32_t segment, SteadyTime now);
  void OnLastByte(std::uint32_t segment, SteadyTime now);
  void OnChunk(const Line& line, SteadyTime now);
  void OnEnd(Line& line);

  const LoadOptions& options_;
  LoadFigures& figures_;
  const std::uint32_t channel_;
  const std::string path_;
  std::array<Line, 2> lines_;
  std::uint32_t asked_ = 0;  // segments asked for
  std::uint32_t heads_ = 0;  // segments whose head came
  std::uint32_t ended_ = 0;
  struct SegmentEnd {
    std::uint32_t segment;
    SteadyTime last_byte;
  };
  std::optional<SegmentEnd> end_;  // of the last segment, until the next one's first byte
  bool refused_ = false;
  std::optional<std::string> wrong_;
};

}  // namespace framelock::bench
