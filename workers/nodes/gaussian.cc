// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/gaussian.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

// Computed side by side in registers.
constexpr std::size_t kBlock = 32;

std::vector<float> Taps(std::int64_t radius, double sigma) {
  std::vector<double> line;
  double sum = 0;
  for (std::int64_t i = -radius; i <= radius; ++i) {
    const double x = radius == 0 ? -1.0 : static_cast<double>(i) / static_cast<double>(radius);
    line.push_back(std::exp(-x * x / (2 * sigma * sigma)));
    sum += line.back();
  }
  std::vector<float> taps;
  taps.reserve(line.size());
  for (const double value : line) {
    taps.push_back(static_cast<float>(value / sum));
  }
  return taps;
}

// out[i] = sum over t of taps[t] * source(t)[i], for i < count.
template <typename Source>
FRAMELOCK_VECTOR_CLONES void WeightedSum(const std::vector<float>& taps, Source source,
                                         std::size_t count, float* out) {
  std::size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    float sum[kBlock] = {};
    for (std::size_t t = 0; t < taps.size(); ++t) {
      const float* in = source(t) + i;
      const float tap = taps[t];
      for (std::size_t lane = 0; lane < kBlock; ++lane) {
        sum[lane] += tap * in[lane];
      }
    }
    std::copy_n(sum, kBlock, out + i);
  }
  for (; i < count; ++i) {
    float sum = 0;
    for (std::size_t t = 0; t < taps.size(); ++t) {
      sum += taps[t] * source(t)[i];
    }
    out[i] = sum;
  }
}

// Position -1 reads 1, position size reads size - 2.
std::size_t Reflect(std::int64_t position, std::int64_t size) {
  const std::int64_t folded = position < 0 ? -position : position;
  return static_cast<std::size_t>(folded < size ? folded : 2 * (size - 1) - folded);
}

}  // namespace

Status GaussianFilter::Prepare(std::int64_t radius, double sigma, const graph::TensorShape& shape,
                               std::size_t parts) {
  if (radius < 0 || radius >= shape.height || radius >= shape.width) {
    const std::string size = std::to_string(radius);
    return Error{ErrorCode::kInvalidArgument,
                 "Padding size should be less than the corresponding input dimension, but got: "
                 "padding (" +
                     size + ", " + size + ") of input " + shape.ToString()};
  }
  const bool same_sigma = sigma == sigma_ || (std::isnan(sigma) && std::isnan(sigma_));
  if (radius != radius_ || !same_sigma) {
    taps_ = Taps(radius, sigma);
    radius_ = radius;
    sigma_ = sigma;
  }
  shape_ = shape;
  buffers_.resize(parts);
  for (Buffers& buffers : buffers_) {
    buffers.columns.resize(taps_.size());
    buffers.padded.resize(shape.row() + 2 * static_cast<std::size_t>(radius) * shape.channels);
    buffers.row.resize(shape.row());
  }
  return {};
}

const float* GaussianFilter::Row(const float* image, std::size_t y, std::size_t part) {
  auto& [columns, padded, blurred] = buffers_[part];
  const std::size_t row = shape_.row();
  const std::size_t channels = shape_.channels;
  for (std::int64_t t = 0; t < std::ssize(taps_); ++t) {
    columns[static_cast<std::size_t>(t)] =
        image + Reflect(static_cast<std::int64_t>(y) + t - radius_, shape_.height) * row;
  }
  const std::size_t margin = static_cast<std::size_t>(radius_) * channels;
  float* middle = padded.data() + margin;
  const float* const* lines = columns.data();
  WeightedSum(
      taps_, [=](std::size_t t) { return lines[t]; }, row, middle);
  for (std::int64_t x = 1; x <= radius_; ++x) {
    const auto at = [&](std::int64_t pixel) {
      return middle + pixel * static_cast<std::int64_t>(channels);
    };
    std::copy_n(at(x), channels, at(-x));
    std::copy_n(at(shape_.width - 1 - x), channels, at(shape_.width - 1 + x));
  }
  const float* start = padded.data();
  WeightedSum(
      taps_, [=](std::size_t t) { return start + t * channels; }, row, blurred.data());
  return blurred.data();
}

}  // namespace framelock::nodes
