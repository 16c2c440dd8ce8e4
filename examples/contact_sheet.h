// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "examples/frame_pairs.h"

namespace framelock::demo {

/// Chooses pairs spread evenly over a run of unknown length and lays them out, inputs above their
/// outputs. Keeps at most 2 * columns pairs. Not thread-safe.
class ContactSheet {
 public:
  explicit ContactSheet(std::size_t columns) : columns_(columns) {}

  void Add(const FramePairs::Pair& pair);
  [[nodiscard]] bool empty() const { return pairs_.empty(); }

  /// The sheet, each picture `cell_width` wide; empty without pairs.
  [[nodiscard]] Picture Compose(int cell_width) const;

 private:
  const std::size_t columns_;
  std::size_t stride_ = 1;  // every stride-th pair is kept
  std::size_t seen_ = 0;
  std::vector<FramePairs::Pair> pairs_;
};

}  // namespace framelock::demo
