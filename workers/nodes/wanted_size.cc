// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/wanted_size.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace framelock::nodes {

namespace {

// One side when the other one, `other` long, becomes `target`.
double Following(double own, double other, double target) {
  return std::nearbyint(own / other * target);
}

std::string SideText(double side) {
  return std::isfinite(side) && std::fabs(side) < 0x1p62
             ? std::to_string(static_cast<std::int64_t>(side))
             : std::to_string(side);
}

}  // namespace

WantedSize WantedSize::Rounded() const { return {std::nearbyint(width), std::nearbyint(height)}; }

WantedSize WithFollowingSide(const graph::TensorShape& from, const WantedSize& wanted) {
  const double width = from.width;
  const double height = from.height;
  if (wanted.width == 0) {
    return {std::max(1.0, std::nearbyint(width * wanted.height / height)), wanted.height};
  }
  if (wanted.height == 0) {
    return {wanted.width, std::max(1.0, std::nearbyint(height * wanted.width / width))};
  }
  return wanted;
}

WantedSize WithLongerSide(const graph::TensorShape& from, double side) {
  if (from.width == from.height) {
    return {side, side};
  }
  return from.width > from.height ? WantedSize{side, Following(from.height, from.width, side)}
                                  : WantedSize{Following(from.width, from.height, side), side};
}

WantedSize WithShorterSide(const graph::TensorShape& from, double side) {
  if (from.width == from.height) {
    return {side, side};
  }
  return from.width < from.height ? WantedSize{side, Following(from.height, from.width, side)}
                                  : WantedSize{Following(from.width, from.height, side), side};
}

WantedSize Times(const graph::TensorShape& from, double factor) {
  return {from.width * factor, from.height * factor};
}

Result<ResampleTarget> MakeTarget(std::string_view method, const WantedSize& size, Crop crop) {
  const std::optional<ResampleMethod> known = ParseResampleMethod(method);
  if (!known) {
    return Error{ErrorCode::kInvalidArgument, "unknown method '" + std::string(method) + "'"};
  }
  constexpr double kMost = 1 << 20;
  // Written so that not a number fails.
  const auto is_side = [](double side) { return side >= 0 && side <= kMost; };
  if (!is_side(size.width) || !is_side(size.height)) {
    return Error{ErrorCode::kInvalidArgument, "cannot resize to a width of " +
                                                  SideText(size.width) + " and a height of " +
                                                  SideText(size.height)};
  }
  return ResampleTarget{.method = *known,
                        .width = static_cast<std::uint32_t>(size.width),
                        .height = static_cast<std::uint32_t>(size.height),
                        .crop = crop};
}

Status GiveResized(graph::NodeCall& call, const graph::Tensor& image,
                   const Result<ResampleTarget>& target, Resampler& resampler) {
  if (!target.ok()) {
    return target.error();
  }
  Result<graph::Tensor> output = resampler.Resample(image, *target, call.pool(), call.threads());
  if (!output.ok()) {
    return output.error();
  }
  call.SetOutput(0, std::move(*output));
  return {};
}

}  // namespace framelock::nodes
