// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

constexpr std::array<std::pair<std::string_view, ResampleMethod>, 5> kMethods{{
    {"nearest-exact", ResampleMethod::kNearestExact},
    {"bilinear", ResampleMethod::kBilinear},
    {"area", ResampleMethod::kArea},
    {"bicubic", ResampleMethod::kBicubic},
    {"lanczos", ResampleMethod::kLanczos},
}};

constexpr float kKeysA = -0.75F;

float KeysInner(float x) { return ((kKeysA + 2) * x - (kKeysA + 3)) * x * x + 1; }
float KeysOuter(float x) { return ((kKeysA * x - 5 * kKeysA) * x + 8 * kKeysA) * x - 4 * kKeysA; }

struct Across {
  const std::uint32_t* taps;  // positions and their weights, of one output pixel after the other
  const float* weights;
  std::size_t width;  // of the output
  std::size_t channels;
};

// One output row. Known numbers of taps and channels are worth their code; 0 stands for any.
template <std::size_t kTaps, std::size_t kChannels>
void WeighAcross(const Across& across, const float* from, float* to) {
  const std::size_t channels = kChannels == 0 ? across.channels : kChannels;
  const std::uint32_t* taps = across.taps;
  const float* weights = across.weights;
  for (std::size_t x = 0; x < across.width; ++x, taps += kTaps, weights += kTaps, to += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      float sum = from[taps[0] * channels + c] * weights[0];
      for (std::size_t t = 1; t < kTaps; ++t) {
        sum += from[taps[t] * channels + c] * weights[t];
      }
      to[c] = sum;
    }
  }
}

template <std::size_t kTaps>
void WeighRowAcross(const Across& across, const float* from, float* to) {
  switch (across.channels) {
    case 1:
      return WeighAcross<kTaps, 1>(across, from, to);
    case 3:
      return WeighAcross<kTaps, 3>(across, from, to);
    case 4:
      return WeighAcross<kTaps, 4>(across, from, to);
    default:
      return WeighAcross<kTaps, 0>(across, from, to);
  }
}

// One output row from whole rows.
template <std::size_t kTaps>
FRAMELOCK_VECTOR_CLONES void WeighDown(const std::array<const float*, 4>& rows,
                                       const float* weights, std::size_t count, float* out) {
  const auto [a, b, c, d] = rows;
  for (std::size_t i = 0; i < count; ++i) {
    float sum = a[i] * weights[0] + b[i] * weights[1];
    if constexpr (kTaps == 4) {
      sum = sum + c[i] * weights[2] + d[i] * weights[3];
    }
    out[i] = sum;
  }
}

std::string SizeText(std::uint32_t height, std::uint32_t width) {
  return "(H: " + std::to_string(height) + ", W: " + std::to_string(width) + ")";
}

// Python's round() of a size: half goes to even.
std::uint32_t RoundedHalf(double surplus) {
  return static_cast<std::uint32_t>(std::nearbyint(surplus / 2));
}

}  // namespace

std::vector<std::string> ResampleMethodNames() {
  std::vector<std::string> names;
  names.reserve(kMethods.size());
  for (const auto& [name, method] : kMethods) {
    names.emplace_back(name);
  }
  return names;
}

std::optional<ResampleMethod> ParseResampleMethod(std::string_view name) {
  for (const auto& [known, method] : kMethods) {
    if (known == name) {
      return method;
    }
  }
  return std::nullopt;
}

Resampler::Window Resampler::CropWindow(const graph::TensorShape& shape,
                                        const ResampleTarget& target) {
  Window window{0, 0, shape.width, shape.height};
  if (target.crop == Crop::kDisabled || shape.height == 0 || target.height == 0 ||
      shape.width == 0 || target.width == 0) {
    return window;
  }
  const double width = shape.width;
  const double height = shape.height;
  const double old_aspect = width / height;
  const double new_aspect = static_cast<double>(target.width) / target.height;
  if (old_aspect > new_aspect) {
    window.x = RoundedHalf(width - width * (new_aspect / old_aspect));
  } else if (old_aspect < new_aspect) {
    window.y = RoundedHalf(height - height * (old_aspect / new_aspect));
  }
  window.width -= std::min(2 * window.x, window.width);
  window.height -= std::min(2 * window.y, window.height);
  return window;
}

// Source positions and weights along one axis, all in float32 as torch computes them. Area keeps
// [begin, end) instead of taps.
Resampler::Axis Resampler::MakeAxis(ResampleMethod method, std::uint32_t in, std::uint32_t out) {
  Axis axis{.in = in, .out = out};
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  const auto clamped = [&](std::int64_t i) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(i, 0, std::int64_t{in} - 1));
  };
  const auto add = [&axis](std::uint32_t tap, float weight) {
    axis.taps.push_back(tap);
    axis.weights.push_back(weight);
  };
  for (std::uint32_t i = 0; i < out; ++i) {
    const float centre = (static_cast<float>(i) + 0.5F) * scale;
    if (method == ResampleMethod::kNearestExact) {
      add(clamped(static_cast<std::int64_t>(std::floor(centre))), 1);
    } else if (method == ResampleMethod::kBilinear) {
      const float position = std::max(centre - 0.5F, 0.0F);
      const auto first = static_cast<std::int64_t>(position);
      const float weight = position - static_cast<float>(first);
      add(clamped(first), 1 - weight);
      add(clamped(first + 1), weight);
    } else if (method == ResampleMethod::kBicubic) {
      const float position = centre - 0.5F;
      const auto first = static_cast<std::int64_t>(std::floor(position));
      const float u = position - std::floor(position);
      add(clamped(first - 1), KeysOuter(u + 1));
      add(clamped(first), KeysInner(u));
      add(clamped(first + 1), KeysInner(1 - u));
      add(clamped(first + 2), KeysOuter(2 - u));
    } else if (method == ResampleMethod::kArea) {
      const std::uint64_t begin = std::uint64_t{i} * in / out;
      const std::uint64_t end = ((std::uint64_t{i} + 1) * in + out - 1) / out;
      add(static_cast<std::uint32_t>(begin), 0);
      add(static_cast<std::uint32_t>(end), 0);
    }
  }
  axis.count = out == 0 ? 0 : axis.taps.size() / out;
  return axis;
}

Status Resampler::Prepare(const graph::TensorShape& shape, const ResampleTarget& target,
                          std::uint64_t max_bytes) {
  const Window window = CropWindow(shape, target);
  const bool empty_in = window.width == 0 || window.height == 0;
  const bool empty_out = target.width == 0 || target.height == 0;
  if (target.method == ResampleMethod::kLanczos && (empty_in || empty_out)) {
    return Error{ErrorCode::kInvalidArgument, "height and width must be > 0"};
  }
  if (empty_in || (empty_out && target.method != ResampleMethod::kArea)) {
    return Error{ErrorCode::kInvalidArgument,
                 "Input and output sizes should be greater than 0, but got input " +
                     SizeText(window.height, window.width) + " output " +
                     SizeText(target.height, target.width)};
  }
  const bool lanczos = target.method == ResampleMethod::kLanczos;
  if (lanczos) {
    if (shape.channels < 1 || shape.channels > 4) {
      return Error{ErrorCode::kInvalidArgument,
                   "lanczos takes 1 to 4 channels, not " + shape.ToString()};
    }
    // Between its two passes the picture is as wide as the result and as high as the source.
    if (std::uint64_t{target.width} * window.height * shape.channels > max_bytes) {
      return Error{ErrorCode::kResourceLimit, "no memory to resample " + shape.ToString()};
    }
    lanczos_.Prepare({window.width, window.height}, {target.width, target.height}, shape.channels);
  } else if (method_ != target.method || columns_.in != window.width ||
             columns_.out != target.width || rows_.in != window.height ||
             rows_.out != target.height) {
    columns_ = MakeAxis(target.method, window.width, target.width);
    rows_ = MakeAxis(target.method, window.height, target.height);
  }
  method_ = lanczos ? method_ : target.method;
  window_ = window;
  channels_ = shape.channels;
  return {};
}

Result<graph::Tensor> Resampler::Resample(const graph::Tensor& image, const ResampleTarget& target,
                                          graph::TensorPool& pool, graph::RowThreads& threads) {
  const graph::TensorShape& shape = image.shape();
  const bool same_size = target.width == shape.width && target.height == shape.height;
  if (same_size && target.method != ResampleMethod::kLanczos && image.size() > 0) {
    return image;  // all weights would be 1
  }
  if (Status ready = Prepare(shape, target, pool.max_bytes()); !ready.ok()) {
    return ready.error();
  }
  Result<graph::Tensor> output =
      pool.Allocate({shape.batch, target.height, target.width, shape.channels, shape.layout});
  if (!output.ok() || output->size() == 0) {
    return output;
  }
  for (std::uint32_t b = 0; b < shape.batch; ++b) {
    const Plane in{
        image.data() + b * shape.plane() + window_.y * shape.row() + window_.x * shape.channels,
        shape.row()};
    float* out = output->mutable_data() + b * output->shape().plane();
    if (target.method == ResampleMethod::kLanczos) {
      lanczos_.Run(in.pixels, in.stride, out, threads);
      continue;
    }
    PrepareParts(threads.Parts(rows_.out));
    threads.Share(rows_.out, [&](const Part& part) {
      if (target.method == ResampleMethod::kNearestExact) {
        RunNearest(in, part, out);
      } else if (target.method == ResampleMethod::kArea) {
        RunArea(in, part, out);
      } else {
        RunTaps(in, part, out);
      }
    });
  }
  return output;
}

void Resampler::PrepareParts(std::size_t count) {
  if (method_ == ResampleMethod::kArea) {
    sums_.resize(count);
    for (std::vector<float>& sums : sums_) {
      sums.resize(columns_.in * channels_);
    }
  } else if (method_ != ResampleMethod::kNearestExact) {
    row_caches_.resize(count);
    for (std::vector<CachedRow>& cache : row_caches_) {
      cache.resize(rows_.count);
      for (CachedRow& cached : cache) {
        cached.y.reset();
        cached.floats.resize(columns_.out * channels_);
      }
    }
  }
}

void Resampler::RunNearest(const Plane& in, const Part& part, float* out) const {
  const std::size_t row = columns_.out * channels_;
  out += part.begin * row;
  for (std::size_t y = part.begin; y < part.end; ++y, out += row) {
    if (y > part.begin && rows_.taps[y] == rows_.taps[y - 1]) {
      std::memcpy(out, out - row, row * sizeof(float));
      continue;
    }
    const float* from = in.pixels + rows_.taps[y] * in.stride;
    for (std::size_t x = 0; x < columns_.out; ++x) {
      for (std::size_t c = 0; c < channels_; ++c) {
        out[x * channels_ + c] = from[columns_.taps[x] * channels_ + c];
      }
    }
  }
}

// Mean of each window: rows are summed first, then columns of the sums.
void Resampler::RunArea(const Plane& in, const Part& part, float* out) {
  std::vector<float>& sums = sums_[part.number];
  out += part.begin * columns_.out * channels_;
  for (std::size_t y = part.begin; y < part.end; ++y) {
    const std::uint32_t top = rows_.taps[2 * y];
    const std::uint32_t bottom = rows_.taps[2 * y + 1];
    std::copy_n(in.pixels + top * in.stride, sums.size(), sums.begin());
    for (std::uint32_t line = top + 1; line < bottom; ++line) {
      const float* from = in.pixels + line * in.stride;
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += from[i];
      }
    }
    for (std::uint32_t x = 0; x < columns_.out; ++x) {
      const std::uint32_t left = columns_.taps[2 * x];
      const std::uint32_t right = columns_.taps[2 * x + 1];
      const auto area = static_cast<float>(std::uint64_t{right - left} * (bottom - top));
      for (std::size_t c = 0; c < channels_; ++c) {
        float sum = 0;
        for (std::uint32_t column = left; column < right; ++column) {
          sum += sums[column * channels_ + c];
        }
        *out++ = sum / area;
      }
    }
  }
}

// One source row resampled across, from the cache or into it. A cache of as many rows as an output
// row has taps, addressed by position: taps are neighbours, so they never push each other out.
const float* Resampler::HorizontalRow(const Plane& in, std::uint32_t y, std::size_t part) {
  std::vector<CachedRow>& cache = row_caches_[part];
  CachedRow& cached = cache[y % cache.size()];
  if (cached.y == y) {
    return cached.floats.data();
  }
  const Across across{columns_.taps.data(), columns_.weights.data(), columns_.out, channels_};
  const auto weigh = columns_.count == 2 ? WeighRowAcross<2> : WeighRowAcross<4>;
  weigh(across, in.pixels + y * in.stride, cached.floats.data());
  cached.y = y;
  return cached.floats.data();
}

void Resampler::RunTaps(const Plane& in, const Part& part, float* out) {
  const std::size_t row = columns_.out * channels_;
  out += part.begin * row;
  for (std::size_t y = part.begin; y < part.end; ++y, out += row) {
    std::array<const float*, 4> lines{};
    for (std::size_t t = 0; t < rows_.count; ++t) {
      lines[t] = HorizontalRow(in, rows_.taps[y * rows_.count + t], part.number);
    }
    const auto weigh = rows_.count == 2 ? WeighDown<2> : WeighDown<4>;
    weigh(lines, &rows_.weights[y * rows_.count], row, out);
  }
}

}  // namespace framelock::nodes
