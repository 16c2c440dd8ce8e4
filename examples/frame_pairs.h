// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "examples/picture_view.h"

namespace framelock::demo {

/// A packed RGB picture of its own.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  /// Copies an RGB or RGBA view.
  static Picture Copy(const PictureView& view);
  [[nodiscard]] PictureView View();
};

/// Mean absolute error, in 0..255, of an output that should be the inverse (255 - input) of its
/// input; nullopt if the sizes differ.
std::optional<double> ErrorOfInverse(const Picture& input, const Picture& output);

/// Brings inputs and outputs of the same number together, whichever comes first. Keeps at most
/// `capacity` of each that still wait; the oldest give way. Not thread-safe.
class FramePairs {
 public:
  using Shared = std::shared_ptr<const Picture>;  // shared: a contact sheet keeps some for longer
  struct Pair {
    std::uint32_t number = 0;
    Shared input, output;
  };

  explicit FramePairs(std::size_t capacity = 120) : capacity_(capacity) {}

  /// The pair, if this picture completes one.
  std::optional<Pair> AddInput(std::uint32_t number, Shared picture);
  std::optional<Pair> AddOutput(std::uint32_t number, Shared picture);

 private:
  std::size_t capacity_;
  std::map<std::uint32_t, Shared> inputs_, outputs_;
};

}  // namespace framelock::demo
