// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

/// Gives a picture as Pillow's Lanczos makes it through 8 bits: width (or height) becomes `edge`,
/// the other side follows, cut to whole pixels.
inline Status GiveWithWidth(graph::NodeCall& call, const graph::Tensor& image, double edge,
                            Resampler& resampler) {
  const WantedSize size{edge, image.shape().height * (edge / image.shape().width)};
  return GiveResized(call, image, MakeTarget("lanczos", size.Cut()), resampler);
}
inline Status GiveWithHeight(graph::NodeCall& call, const graph::Tensor& image, double edge,
                             Resampler& resampler) {
  const WantedSize size{image.shape().width * (edge / image.shape().height), edge};
  return GiveResized(call, image, MakeTarget("lanczos", size.Cut()), resampler);
}

}  // namespace framelock::nodes
