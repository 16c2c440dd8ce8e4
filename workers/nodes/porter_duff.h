// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/graph/node_spec.h"
#include "workers/graph/tensor.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

/// The input that chooses the compositing mode, the modes in ComfyUI's order.
graph::InputSpec PorterDuffModeInput();

/// What a coverage input says: how transparent a pixel is (a mask), or how opaque.
enum class Coverage : std::uint8_t { kTransparency, kOpacity };

/// Two pictures and how much of each pixel they cover; a coverage that is not valid() is 0
/// everywhere.
struct PorterDuffLayers {
  graph::Tensor source;
  graph::Tensor source_coverage;
  graph::Tensor destination;
  graph::Tensor destination_coverage;
  Coverage coverage = Coverage::kTransparency;
};

struct PorterDuffResult {
  graph::Tensor image;
  graph::Tensor mask;  // 1 - alpha
};

/// Composites as Porter and Duff (and later blend modes) do, on premultiplied colours. Everything
/// is brought to the destination's size by a centre crop and bicubic resampling; the result has as
/// many pictures as the shortest batch. Keeps its tables and row buffers; one thread.
class PorterDuff {
 public:
  Result<PorterDuffResult> Run(std::string_view mode, const PorterDuffLayers& layers,
                               graph::NodeCall& call);

 private:
  Result<PorterDuffLayers> Fitted(const PorterDuffLayers& layers, graph::NodeCall& call);
  const float* OpacityRow(const graph::Tensor& coverage, Coverage meaning, std::size_t offset,
                          std::vector<float>& row) const;

  Resampler source_resampler_;
  Resampler source_coverage_resampler_;
  Resampler destination_coverage_resampler_;
  // One row of opacities, per pixel and per channel.
  std::vector<float> source_row_;
  std::vector<float> destination_row_;
  std::vector<float> source_spread_;
  std::vector<float> destination_spread_;
};

}  // namespace framelock::nodes
