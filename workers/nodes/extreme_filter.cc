// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/extreme_filter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

struct Smaller {
  static constexpr float kNeutral = std::numeric_limits<float>::infinity();
  float operator()(float a, float b) const { return b < a ? b : a; }
};
struct Larger {
  static constexpr float kNeutral = -std::numeric_limits<float>::infinity();
  float operator()(float a, float b) const { return a < b ? b : a; }
};

// out[i] = pick(a[i], b[i])
template <typename Pick>
FRAMELOCK_VECTOR_CLONES void PickEach(const float* a, const float* b, std::size_t count,
                                      float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = Pick()(a[i], b[i]);
  }
}

// inout[i] = pick(inout[i], b[i]): a name of its own, so that the compiler sees one pointer
// written.
template <typename Pick>
FRAMELOCK_VECTOR_CLONES void PickInto(const float* b, std::size_t count, float* inout) {
  for (std::size_t i = 0; i < count; ++i) {
    inout[i] = Pick()(inout[i], b[i]);
  }
}

std::size_t SizeOf(SquareWindow window) { return std::size_t{window.before} + window.after + 1; }

SquareWindow Within(SquareWindow window, std::uint32_t side) {
  return {std::min(window.before, side - 1), std::min(window.after, side - 1)};
}

// One step of a diamond: each pixel becomes the extreme of the four that lie `step` away, moved to
// the edge where they would lie outside, and of itself if `step` is 1. Four diamonds of one radius
// around such points make up one that is `step` larger, as long as step <= radius; moving to the
// edge brings a point closer to all pixels of the picture, and no farther from the centre.
template <typename Pick>
FRAMELOCK_VECTOR_CLONES void Spread(const float* in, const graph::TensorShape& shape,
                                    std::size_t step, float* out) {
  const Pick pick;
  const std::size_t width = shape.width;
  const std::size_t height = shape.height;
  for (std::size_t y = 0; y < height; ++y) {
    const float* row = in + y * width;
    const float* above = in + (y < step ? 0 : y - step) * width;
    const float* below = in + std::min(y + step, height - 1) * width;
    float* to = out + y * width;
    const auto edge = [&](std::size_t x) {
      const float across = pick(row[x < step ? 0 : x - step], row[std::min(x + step, width - 1)]);
      to[x] = pick(pick(above[x], below[x]), across);
    };
    const std::size_t left = std::min(step, width);
    const std::size_t right = std::max(left, width - left);
    for (std::size_t x = 0; x < left; ++x) {
      edge(x);
    }
    for (std::size_t x = left; x < right; ++x) {
      to[x] = pick(pick(above[x], below[x]), pick(row[x - step], row[x + step]));
    }
    for (std::size_t x = right; x < width; ++x) {
      edge(x);
    }
    if (step == 1) {
      PickInto<Pick>(row, width, to);
    }
  }
}

std::uint32_t NextStep(std::uint32_t reached, std::uint32_t radius) {
  return std::min(radius - reached, std::max(reached, 1U));
}

template <typename Pick>
void DiamondOf(const graph::Tensor& mask, std::uint32_t radius, graph::Tensor& scratch,
               graph::Tensor& out) {
  const graph::TensorShape& shape = mask.shape();
  // The last step writes to `out`; each step before it to the other one of the two.
  std::uint32_t steps = 0;
  for (std::uint32_t reached = 0; reached < radius; ++steps) {
    reached += NextStep(reached, radius);
  }
  for (std::size_t b = 0; b < shape.batch; ++b) {
    float* to = out.mutable_data() + b * shape.plane();
    float* other = scratch.mutable_data();
    if (steps % 2 == 0) {
      std::swap(to, other);
    }
    const float* from = mask.data() + b * shape.plane();
    for (std::uint32_t reached = 0; reached < radius;) {
      const std::uint32_t step = NextStep(reached, radius);
      Spread<Pick>(from, shape, step, to);
      from = to;
      std::swap(to, other);
      reached += step;
    }
  }
}

}  // namespace

// A window of n pixels is two overlapping ones of 2^k; those come from doubling k times.
template <typename Pick>
void ExtremeFilter::FilterRow(const float* in, float* out) {
  const std::size_t window = SizeOf(across_);
  if (window == 1) {
    std::copy_n(in, row_, out);
    return;
  }
  const std::size_t margin = across_.before * channels_;
  std::fill_n(line_.begin(), margin, Pick::kNeutral);
  std::copy_n(in, row_, line_.data() + margin);
  std::fill(line_.data() + margin + row_, line_.data() + line_.size(), Pick::kNeutral);
  std::size_t size = 1;
  std::size_t count = line_.size();
  for (; 2 * size <= window; size *= 2) {
    count -= size * channels_;
    PickEach<Pick>(line_.data(), line_.data() + size * channels_, count, wider_.data());
    std::swap(line_, wider_);
  }
  PickEach<Pick>(line_.data(), line_.data() + (window - size) * channels_, row_, out);
}

// Down the picture in blocks of one window height: the window of a row is the lower part of one
// block and the upper part of the next. `scratch` has room for two blocks.
template <typename Pick>
void ExtremeFilter::SquareOf(const float* in, const graph::TensorShape& shape, float* scratch,
                             float* out) {
  const auto height = static_cast<std::int64_t>(shape.height);
  const auto window = static_cast<std::int64_t>(SizeOf(down_));
  const auto line = [this](float* block, std::int64_t i) {
    return block + static_cast<std::size_t>(i) * row_;
  };
  const auto fill = [&](std::int64_t y, float* to) {
    if (y < 0 || y >= height) {
      std::fill_n(to, row_, Pick::kNeutral);
    } else {
      FilterRow<Pick>(in + static_cast<std::size_t>(y) * row_, to);
    }
  };
  float* block = scratch;
  float* next = line(scratch, window);
  const std::int64_t before = down_.before;
  for (std::int64_t i = 0; i < window; ++i) {
    fill(i - before, line(block, i));
  }
  for (std::int64_t top = 0; top < height; top += window, std::swap(block, next)) {
    for (std::int64_t i = window - 2; i >= 0; --i) {
      PickInto<Pick>(line(block, i + 1), row_, line(block, i));
    }
    std::copy_n(block, row_, out + static_cast<std::size_t>(top) * row_);
    std::ranges::fill(below_, Pick::kNeutral);
    for (std::int64_t i = 0; i < window; ++i) {
      const std::int64_t y = top + i + 1;
      if (y >= height) {
        break;
      }
      fill(top - before + window + i, line(next, i));
      if (i + 1 < window) {
        PickInto<Pick>(line(next, i), row_, below_.data());
        PickEach<Pick>(line(block, i + 1), below_.data(), row_,
                       out + static_cast<std::size_t>(y) * row_);
      }
    }
  }
}

Result<graph::Tensor> ExtremeFilter::Square(const graph::Tensor& image, SquareWindow window,
                                            Extreme extreme, graph::TensorPool& pool) {
  const graph::TensorShape& shape = image.shape();
  Result<graph::Tensor> output = pool.Allocate(shape);
  if (!output.ok() || output->size() == 0) {
    return output;
  }
  across_ = Within(window, shape.width);
  down_ = Within(window, shape.height);
  row_ = shape.row();
  channels_ = shape.channels;
  Result<graph::Tensor> scratch =
      pool.Allocate({2, static_cast<std::uint32_t>(SizeOf(down_)), shape.width, shape.channels});
  if (!scratch.ok()) {
    return scratch;
  }
  line_.resize(row_ + (SizeOf(across_) - 1) * channels_);
  wider_.resize(line_.size());
  below_.resize(row_);
  for (std::size_t b = 0; b < shape.batch; ++b) {
    const float* in = image.data() + b * shape.plane();
    float* out = output->mutable_data() + b * shape.plane();
    if (extreme == Extreme::kMin) {
      SquareOf<Smaller>(in, shape, scratch->mutable_data(), out);
    } else {
      SquareOf<Larger>(in, shape, scratch->mutable_data(), out);
    }
  }
  return output;
}

Result<graph::Tensor> ExtremeFilter::Diamond(const graph::Tensor& mask, std::uint32_t radius,
                                             Extreme extreme, graph::TensorPool& pool) {
  graph::TensorShape shape = mask.shape();
  if (radius == 0 || mask.size() == 0) {
    return mask;
  }
  Result<graph::Tensor> output = pool.Allocate(shape);
  shape.batch = 1;
  Result<graph::Tensor> scratch = pool.Allocate(shape);
  if (!output.ok() || !scratch.ok()) {
    return output.ok() ? scratch : output;
  }
  // No two pixels are farther apart.
  const auto farthest = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::uint64_t{shape.width} + shape.height, radius));
  if (extreme == Extreme::kMin) {
    DiamondOf<Smaller>(mask, farthest, *scratch, *output);
  } else {
    DiamondOf<Larger>(mask, farthest, *scratch, *output);
  }
  return output;
}

}  // namespace framelock::nodes
