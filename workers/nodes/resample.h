// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/row_threads.h"
#include "workers/graph/tensor.h"
#include "workers/nodes/lanczos.h"

namespace framelock::nodes {

enum class ResampleMethod : std::uint8_t { kNearestExact, kBilinear, kArea, kBicubic, kLanczos };

/// The names that prompts use, in ComfyUI's order.
std::vector<std::string> ResampleMethodNames();
std::optional<ResampleMethod> ParseResampleMethod(std::string_view name);

enum class Crop : std::uint8_t { kDisabled, kCenter };

struct ResampleTarget {
  ResampleMethod method = ResampleMethod::kBilinear;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Crop crop = Crop::kDisabled;
};

/// Resizes images and masks as torch and Pillow do, to the documented quirk: half-pixel centres in
/// float32, no antialiasing but in area and lanczos, lanczos through 8 bits. Keeps its tables and
/// row buffers for the next frame of the same sizes; called by one thread.
class Resampler {
 public:
  /// All batch elements of `image`; `image` itself if nothing changes. The error texts are torch's
  /// and Pillow's.
  Result<graph::Tensor> Resample(const graph::Tensor& image, const ResampleTarget& target,
                                 graph::TensorPool& pool, graph::RowThreads& threads);

 private:
  // One output position: where its first tap lies, and the weights of all.
  struct Axis {
    std::uint32_t in = 0;
    std::uint32_t out = 0;
    std::vector<std::uint32_t> taps;  // out * count source positions
    std::vector<float> weights;       // likewise
    std::size_t count = 0;            // taps per position
  };
  struct Window {  // the part of the source that is resized
    std::uint32_t x = 0;
    std::uint32_t y = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    bool operator==(const Window&) const = default;
  };
  struct Plane {  // one batch element, or the window in it
    const float* pixels;
    std::size_t stride;  // floats from row to row
  };

  static Window CropWindow(const graph::TensorShape& shape, const ResampleTarget& target);
  static Axis MakeAxis(ResampleMethod method, std::uint32_t in, std::uint32_t out);
  Status Prepare(const graph::TensorShape& shape, const ResampleTarget& target,
                 std::uint64_t max_bytes);
  void PrepareParts(std::size_t count);
  using Part = graph::RowThreads::Part;  // of the output's rows
  void RunTaps(const Plane& in, const Part& part, float* out);
  const float* HorizontalRow(const Plane& in, std::uint32_t y, std::size_t part);
  void RunNearest(const Plane& in, const Part& part, float* out) const;
  void RunArea(const Plane& in, const Part& part, float* out);

  ResampleMethod method_ = ResampleMethod::kBilinear;
  Window window_;
  std::size_t channels_ = 0;
  Axis columns_;
  Axis rows_;
  LanczosResizer lanczos_;
  // Rows that have been resampled across, by source row: the next output row needs most of them.
  struct CachedRow {
    std::optional<std::uint32_t> y;
    std::vector<float> floats;
  };
  std::vector<std::vector<CachedRow>> row_caches_;  // by part
  std::vector<std::vector<float>> sums_;            // by part
};

}  // namespace framelock::nodes
