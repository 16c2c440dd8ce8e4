// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/graph/tensor.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

/// Puts pictures (or masks) into one batch: all get as many channels as the richest has, and the
/// size of the first, bilinear and cut to its aspect ratio. Keeps its tables and lists for the next
/// frame; one thread.
class ImageStack {
 public:
  void Add(const graph::Tensor& picture) { pictures_.push_back(picture); }

  /// The batch of all that were added, in that order, and forgets them.
  Result<graph::Tensor> Take(graph::NodeCall& call);

 private:
  Result<graph::Tensor> Join(graph::NodeCall& call);
  Result<graph::Tensor> Fit(std::size_t i, const graph::TensorShape& first, graph::NodeCall& call);

  std::vector<graph::Tensor> pictures_;
  std::vector<Resampler> resamplers_;  // by position, so that each keeps to its sizes
};

/// Gives all of its inputs that the prompt has as one batch.
class StackNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override;

 private:
  ImageStack stack_;
};

}  // namespace framelock::nodes
