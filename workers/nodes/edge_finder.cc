// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/edge_finder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace framelock::nodes {

namespace {

// Of a Gaussian with sigma 1.
constexpr std::array<float, 5> kTaps{0.0544886845F, 0.244201342F, 0.402619947F, 0.244201342F,
                                     0.0544886845F};

float WeightedSum(float a, float b, float c, float d, float e) {
  return kTaps[0] * a + kTaps[1] * b + kTaps[2] * c + kTaps[3] * d + kTaps[4] * e;
}

// The position `beyond` - kReach, where -1 reads 1 and size reads size - 2.
std::size_t Reflect(std::size_t beyond, std::size_t size) {
  constexpr std::size_t kReach = EdgeFinder::kReach;
  const std::size_t folded = beyond < kReach ? kReach - beyond : beyond - kReach;
  return folded < size ? folded : 2 * (size - 1) - folded;
}

}  // namespace

void EdgeFinder::Prepare(Size size, std::size_t parts) {
  height_ = size.height;
  width_ = size.width;
  wide_ = width_ + 2;
  blurred_across_.resize(height_ * width_);
  blurred_.resize(height_ * wide_);
  scratches_.resize(parts);
  for (Scratch& scratch : scratches_) {
    scratch.line.resize(width_ + 2 * kReach);
    for (GradientRow& row : scratch.gradient) {
      row.x.resize(width_);
      row.y.resize(width_);
      row.magnitude.assign(wide_, 0.0F);
    }
    scratch.ridge.resize(width_);
  }
  nothing_.assign(wide_, 0.0F);
  strengths_.assign((height_ + 2) * wide_, kNone);
  unfinished_.reserve(height_ * width_);
}

void EdgeFinder::Run(const float* image, std::size_t channels, const Thresholds& thresholds,
                     float* out, graph::RowThreads& threads) {
  threads.Share(height_, [&](const Part& part) {
    for (std::size_t y = part.begin; y < part.end; ++y) {
      BlurAcross(image + y * width_ * channels, channels, y, scratches_[part.number].line);
    }
  });
  threads.Share(height_, [&](const Part& part) {
    for (std::size_t y = part.begin; y < part.end; ++y) {
      BlurDown(y);
    }
  });
  threads.Share(height_, [&](const Part& part) { Rate(part, thresholds); });
  Strengthen();
  threads.Share(height_, [&](const Part& part) { Write(part, out); });
}

void EdgeFinder::BlurAcross(const float* row, std::size_t channels, std::size_t y,
                            std::vector<float>& line) {
  float* grey = line.data() + kReach;
  if (channels == 3) {
    for (std::size_t x = 0; x < width_; ++x) {
      grey[x] = 0.299F * row[3 * x] + 0.587F * row[3 * x + 1] + 0.114F * row[3 * x + 2];
    }
  } else {
    std::copy_n(row, width_, grey);
  }
  for (std::size_t i = 0; i < kReach; ++i) {
    line[i] = grey[Reflect(i, width_)];
    grey[width_ + i] = grey[Reflect(kReach + width_ + i, width_)];
  }
  const float* in = line.data();
  float* out = &blurred_across_[y * width_];
  for (std::size_t x = 0; x < width_; ++x) {
    out[x] = WeightedSum(in[x], in[x + 1], in[x + 2], in[x + 3], in[x + 4]);
  }
}

// The gradient sees the first and the last pixel repeated.
void EdgeFinder::BlurDown(std::size_t y) {
  std::array<const float*, kTaps.size()> rows{};
  for (std::size_t t = 0; t < rows.size(); ++t) {
    rows[t] = &blurred_across_[Reflect(y + t, height_) * width_];
  }
  float* out = &blurred_[y * wide_];
  for (std::size_t x = 0; x < width_; ++x) {
    out[x + 1] = WeightedSum(rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x]);
  }
  out[0] = out[1];
  out[width_ + 1] = out[width_];
}

// Each part finds the gradient of the rows next to it, too.
void EdgeFinder::Rate(const Part& part, const Thresholds& thresholds) {
  Scratch& scratch = scratches_[part.number];
  const auto find_gradient = [&](std::size_t y) {
    FindGradient(y, scratch.gradient[y % scratch.gradient.size()]);
  };
  for (std::size_t y = part.begin == 0 ? 0 : part.begin - 1; y <= part.begin; ++y) {
    find_gradient(y);
  }
  for (std::size_t y = part.begin; y < part.end; ++y) {
    if (y + 1 < height_) {
      find_gradient(y + 1);
    }
    Thin(y, scratch);
    const float* ridge = scratch.ridge.data();
    std::uint8_t* strengths = &strengths_[(y + 1) * wide_ + 1];
    for (std::size_t x = 0; x < width_; ++x) {
      const Strength weaker = ridge[x] > thresholds.low ? kWeak : kNone;
      strengths[x] = ridge[x] > thresholds.high ? kStrong : weaker;
    }
  }
}

// Of row y, by Sobel, and its length.
void EdgeFinder::FindGradient(std::size_t y, GradientRow& row) const {
  const float* above = &blurred_[(y == 0 ? 0 : y - 1) * wide_];
  const float* middle = &blurred_[y * wide_];
  const float* below = &blurred_[std::min(y + 1, height_ - 1) * wide_];
  float* across = row.x.data();
  float* down = row.y.data();
  float* magnitude = row.magnitude.data() + 1;
  for (std::size_t x = 0; x < width_; ++x) {
    const float gx =
        (above[x + 2] - above[x]) + 2.0F * (middle[x + 2] - middle[x]) + (below[x + 2] - below[x]);
    const float gy = (below[x] - above[x]) + 2.0F * (below[x + 1] - above[x + 1]) +
                     (below[x + 2] - above[x + 2]);
    across[x] = gx;
    down[x] = gy;
    magnitude[x] = std::sqrt(gx * gx + gy * gy + 1e-6F);
  }
}

// Nothing above and below the picture.
const float* EdgeFinder::Magnitudes(const Scratch& scratch, std::size_t y_plus_1) const {
  const bool inside = y_plus_1 > 0 && y_plus_1 <= height_;
  return inside ? scratch.gradient[(y_plus_1 - 1) % scratch.gradient.size()].magnitude.data()
                : nothing_.data();
}

// Keeps what is greater than both neighbours along the gradient, to the nearest of eight
// directions.
void EdgeFinder::Thin(std::size_t y, Scratch& scratch) const {
  constexpr float kTan = 0.414213562F;  // of half the way to the diagonal
  const GradientRow& gradient = scratch.gradient[y % scratch.gradient.size()];
  const float* gradient_x = gradient.x.data();
  const float* gradient_y = gradient.y.data();
  const float* above = Magnitudes(scratch, y);
  const float* middle = Magnitudes(scratch, y + 1);
  const float* below = Magnitudes(scratch, y + 2);
  float* out = scratch.ridge.data();
  for (std::size_t x = 0; x < width_; ++x) {
    const float gx = gradient_x[x];
    const float gy = gradient_y[x];
    const float falling = std::max(above[x], below[x + 2]);
    const float rising = std::max(above[x + 2], below[x]);
    const float across = std::max(middle[x], middle[x + 2]);
    const float down = std::max(above[x + 1], below[x + 1]);
    const float diagonal = gx * gy > 0 ? falling : rising;
    const float steep = std::abs(gx) <= kTan * std::abs(gy) ? down : diagonal;
    const float neighbour = std::abs(gy) <= kTan * std::abs(gx) ? across : steep;
    out[x] = middle[x + 1] > neighbour ? middle[x + 1] : 0.0F;
  }
}

// Weak edges that touch a strong one are strong, and so on.
void EdgeFinder::Strengthen() {
  const std::uint8_t* strengths = strengths_.data();
  for (std::size_t at = 0;; ++at) {
    const void* strong = std::memchr(strengths + at, kStrong, strengths_.size() - at);
    if (strong == nullptr) {
      return;
    }
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(strong) - strengths);
    StrengthenAround(at);
  }
}

void EdgeFinder::StrengthenAround(std::size_t strong) {
  const std::size_t wide = wide_;
  unfinished_.push_back(static_cast<std::uint32_t>(strong));
  while (!unfinished_.empty()) {
    const std::size_t centre = unfinished_.back();
    unfinished_.pop_back();
    for (const std::size_t line : {centre - wide, centre, centre + wide}) {
      for (const std::size_t position : {line - 1, line, line + 1}) {
        if (strengths_[position] == kWeak) {
          strengths_[position] = kStrong;
          unfinished_.push_back(static_cast<std::uint32_t>(position));
        }
      }
    }
  }
}

void EdgeFinder::Write(const Part& part, float* out) const {
  out += part.begin * width_ * 3;
  for (std::size_t y = part.begin; y < part.end; ++y) {
    const std::uint8_t* from = &strengths_[(y + 1) * wide_ + 1];
    for (std::size_t x = 0; x < width_; ++x, out += 3) {
      out[0] = out[1] = out[2] = from[x] == kStrong ? 1.0F : 0.0F;
    }
  }
}

}  // namespace framelock::nodes
