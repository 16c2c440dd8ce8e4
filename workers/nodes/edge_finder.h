// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "workers/graph/row_threads.h"

namespace framelock::nodes {

/// Canny's edges of one picture: a Gaussian of five taps, Sobel's gradient, and of its ridges the
/// strong ones with all that is connected to them. Keeps its planes for the next picture of the
/// same size; called by one thread.
class EdgeFinder {
 public:
  struct Thresholds {
    float low;
    float high;
  };
  struct Size {
    std::size_t height;
    std::size_t width;
  };
  /// Both sides must be greater than this.
  static constexpr std::size_t kReach = 2;

  void Prepare(Size size, std::size_t parts);

  /// Writes 1 or 0 to the three channels of `out` for each pixel of `image`, which has 1 or 3.
  void Run(const float* image, std::size_t channels, const Thresholds& thresholds, float* out,
           graph::RowThreads& threads);

 private:
  using Part = graph::RowThreads::Part;
  enum Strength : std::uint8_t { kNone, kWeak, kStrong };
  struct GradientRow {
    std::vector<float> x;
    std::vector<float> y;
    std::vector<float> magnitude;  // with a 0 at both ends
  };

  struct Scratch {
    std::vector<float> line;  // one grey row, reflected at both ends
    std::array<GradientRow, 3> gradient;
    std::vector<float> ridge;  // one row: the magnitude where it is kept, else 0
  };

  void BlurAcross(const float* row, std::size_t channels, std::size_t y, std::vector<float>& line);
  void BlurDown(std::size_t y);
  void Rate(const Part& part, const Thresholds& thresholds);
  void FindGradient(std::size_t y, GradientRow& row) const;
  [[nodiscard]] const float* Magnitudes(const Scratch& scratch, std::size_t y_plus_1) const;
  void Thin(std::size_t y, Scratch& scratch) const;
  void Strengthen();
  void StrengthenAround(std::size_t strong);
  void Write(const Part& part, float* out) const;

  std::size_t height_ = 0;
  std::size_t width_ = 0;
  std::size_t wide_ = 0;               // a pixel more at each side, where neighbours are looked at
  std::vector<float> blurred_across_;  // a plane
  std::vector<float> blurred_;         // a wide plane
  std::vector<Scratch> scratches_;     // by part
  std::vector<float> nothing_;         // a wide row of zeros
  std::vector<std::uint8_t> strengths_;    // a wide plane with a row more above and below
  std::vector<std::uint32_t> unfinished_;  // strong positions whose neighbours were not seen
};

}  // namespace framelock::nodes
