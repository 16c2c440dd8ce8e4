// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/torch_random.h"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <random>

namespace framelock::nodes {

namespace {

constexpr std::size_t kBlock = 16;

float UniformFloat(std::mt19937& engine) {
  return static_cast<float>(engine() & 0xFFFFFFU) * 0x1p-24F;
}

double UniformDouble(std::mt19937& engine) {
  const std::uint64_t high = engine();
  const std::uint64_t bits = high << 32 | engine();
  return static_cast<double>(bits & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// The first half of the block gives the radii, the second the angles.
void TransformBlock(float* block) {
  for (std::size_t j = 0; j < kBlock / 2; ++j) {
    const float radius = std::sqrt(-2.0F * std::log(1.0F - block[j]));
    const float angle = 2.0F * std::numbers::pi_v<float> * block[j + kBlock / 2];
    block[j] = radius * std::cos(angle);
    block[j + kBlock / 2] = radius * std::sin(angle);
  }
}

void FillFew(std::span<float> values, std::mt19937& engine) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double turn = UniformDouble(engine);
    const double radius = std::sqrt(-2.0 * std::log1p(-UniformDouble(engine)));
    const double angle = 2.0 * std::numbers::pi * turn;
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) {
      values[i + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

}  // namespace

void FillNormal(std::span<float> values, std::uint64_t seed) {
  std::mt19937 engine(static_cast<std::uint32_t>(seed));
  if (values.size() < kBlock) {
    FillFew(values, engine);
    return;
  }
  for (float& value : values) {
    value = UniformFloat(engine);
  }
  for (std::size_t i = 0; i + kBlock <= values.size(); i += kBlock) {
    TransformBlock(&values[i]);
  }
  if (values.size() % kBlock != 0) {
    // A last block of new numbers reaches back into the one before.
    float* last = values.data() + values.size() - kBlock;
    for (std::size_t j = 0; j < kBlock; ++j) {
      last[j] = UniformFloat(engine);
    }
    TransformBlock(last);
  }
}

}  // namespace framelock::nodes
