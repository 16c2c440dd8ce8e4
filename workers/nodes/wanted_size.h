// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string_view>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

/// A size as a node computes it, in doubles like Python: whole, but perhaps far from any picture's,
/// or not a number.
struct WantedSize {
  double width = 0;
  double height = 0;

  /// Python's round(): half goes to even.
  [[nodiscard]] WantedSize Rounded() const;
  /// Python's int(): towards 0.
  [[nodiscard]] WantedSize Cut() const { return {std::trunc(width), std::trunc(height)}; }
};

/// A side of 0 follows from the other one and the aspect ratio: rounded, but not less than 1.
WantedSize WithFollowingSide(const graph::TensorShape& from, const WantedSize& wanted);
/// The longer side becomes `side`, the other one follows, rounded.
WantedSize WithLongerSide(const graph::TensorShape& from, double side);
WantedSize WithShorterSide(const graph::TensorShape& from, double side);
/// Both sides times `factor`, not whole yet.
WantedSize Times(const graph::TensorShape& from, double factor);

/// kInvalidArgument for a method that does not exist, and for sides beyond 0 to 2^20.
Result<ResampleTarget> MakeTarget(std::string_view method, const WantedSize& size,
                                  Crop crop = Crop::kDisabled);

/// Gives `image` at the wanted size as the first output.
Status GiveResized(graph::NodeCall& call, const graph::Tensor& image,
                   const Result<ResampleTarget>& target, Resampler& resampler);

}  // namespace framelock::nodes
