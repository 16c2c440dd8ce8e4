// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/lanczos.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

namespace {

constexpr double kRadius = 3.0;
constexpr int kWeightBits = 22;
constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

double Sinc(double x) {
  const double angle = x * std::numbers::pi;
  return x == 0.0 ? 1.0 : std::sin(angle) / angle;
}

double Lanczos(double x) {
  return x >= -kRadius && x < kRadius ? Sinc(x) * Sinc(x / kRadius) : 0.0;
}

std::uint8_t ToByte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

FRAMELOCK_VECTOR_CLONES void AddWeighted(const std::uint8_t* from, std::int32_t weight,
                                         std::size_t count, std::int32_t* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    sums[i] += from[i] * weight;
  }
}

// Of RGBA.
void Premultiply(std::span<std::uint8_t> pixels) {
  for (std::size_t i = 0; i + 3 < pixels.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint32_t product = std::uint32_t{pixels[i + c]} * pixels[i + 3] + 128;
      pixels[i + c] = static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
    }
  }
}

void Unpremultiply(std::span<std::uint8_t> pixels) {
  for (std::size_t i = 0; i + 3 < pixels.size(); i += 4) {
    const std::uint32_t alpha = pixels[i + 3];
    if (alpha == 0 || alpha == 255) {
      continue;
    }
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[i + c] = static_cast<std::uint8_t>(std::min(255U * pixels[i + c] / alpha, 255U));
    }
  }
}

}  // namespace

LanczosResizer::Axis LanczosResizer::MakeAxis(std::uint32_t in, std::uint32_t out) {
  Axis axis;
  const double scale = static_cast<double>(in) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = kRadius * stretch;
  axis.widest = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  axis.weights.resize(axis.widest * out);
  std::vector<double> exact(axis.widest);
  for (std::uint32_t i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    // Pillow adds a half and truncates; rounding functions differ where that is not exact.
    // NOLINTBEGIN(bugprone-incorrect-roundings)
    const auto first = static_cast<std::int64_t>(std::max(centre - support + 0.5, 0.0));
    const auto end = std::min<std::int64_t>(static_cast<std::int64_t>(centre + support + 0.5), in);
    // NOLINTEND(bugprone-incorrect-roundings)
    double sum = 0;
    for (std::int64_t tap = first; tap < end; ++tap) {
      double& weight = exact[static_cast<std::size_t>(tap - first)];
      weight = Lanczos((static_cast<double>(tap) - centre + 0.5) * (1.0 / stretch));
      sum += weight;
    }
    axis.first.push_back(static_cast<std::uint32_t>(first));
    axis.count.push_back(static_cast<std::uint32_t>(end - first));
    for (std::size_t t = 0; t < axis.count.back(); ++t) {
      const double scaled = (sum == 0.0 ? exact[t] : exact[t] / sum) * (1 << kWeightBits);
      axis.weights[i * axis.widest + t] =
          static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return axis;
}

void LanczosResizer::Prepare(Size in, Size out, std::size_t channels) {
  if (in == in_ && out == out_ && channels == channels_) {
    return;
  }
  in_ = in;
  out_ = out;
  channels_ = channels;
  columns_ = MakeAxis(in.width, out.width);
  rows_ = MakeAxis(in.height, out.height);
}

void LanczosResizer::Run(const float* in, std::size_t stride, float* out,
                         graph::RowThreads& threads) {
  const bool premultiplied = channels_ == 4 && !(in_ == out_);
  const std::size_t row = std::size_t{in_.width} * channels_;
  bytes_.resize(row * in_.height);
  threads.Share(in_.height, [&](const Part& part) {
    ToBytes(in, stride, part);
    if (premultiplied) {
      Premultiply({bytes_.data() + part.begin * row, (part.end - part.begin) * row});
    }
  });
  if (in_.width != out_.width) {
    next_.resize(std::size_t{out_.width} * in_.height * channels_);
    threads.Share(in_.height, [&](const Part& part) { ResizeColumns(part); });
    bytes_.swap(next_);
  }
  const std::size_t made = std::size_t{out_.width} * channels_;
  if (in_.height != out_.height) {
    next_.resize(made * out_.height);
    sums_.resize(threads.Parts(out_.height));
    for (std::vector<std::int32_t>& sums : sums_) {
      sums.resize(made);
    }
    threads.Share(out_.height, [&](const Part& part) { ResizeRows(part); });
    bytes_.swap(next_);
  }
  threads.Share(out_.height, [&](const Part& part) {
    if (premultiplied) {
      Unpremultiply({bytes_.data() + part.begin * made, (part.end - part.begin) * made});
    }
    for (std::size_t i = part.begin * made; i < part.end * made; ++i) {
      out[i] = ByteToFloat(bytes_[i]);
    }
  });
}

void LanczosResizer::ToBytes(const float* in, std::size_t stride, const Part& part) {
  const std::size_t row = in_.width * channels_;
  for (std::size_t y = part.begin; y < part.end; ++y) {
    const float* from = in + y * stride;
    std::uint8_t* to = bytes_.data() + y * row;
    for (std::size_t i = 0; i < row; ++i) {
      to[i] = CutToByte(from[i]);
    }
  }
}

template <std::size_t kChannels>
void LanczosResizer::ResizeRow(const std::uint8_t* row, std::uint8_t* to) const {
  for (std::size_t x = 0; x < out_.width; ++x, to += kChannels) {
    const std::int32_t* weights = columns_.weights.data() + x * columns_.widest;
    const std::uint8_t* from = row + columns_.first[x] * kChannels;
    const std::size_t count = columns_.count[x];
    std::int32_t sum[kChannels];
    std::fill_n(sum, kChannels, kHalf);
    for (std::size_t t = 0; t < count; ++t, from += kChannels) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        sum[c] += from[c] * weights[t];
      }
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
      to[c] = ToByte(sum[c]);
    }
  }
}

void LanczosResizer::ResizeColumns(const Part& part) {
  using RowFunction = void (LanczosResizer::*)(const std::uint8_t*, std::uint8_t*) const;
  constexpr RowFunction kByChannels[] = {
      &LanczosResizer::ResizeRow<1>, &LanczosResizer::ResizeRow<2>, &LanczosResizer::ResizeRow<3>,
      &LanczosResizer::ResizeRow<4>};
  const RowFunction resize_row = kByChannels[channels_ - 1];
  for (std::size_t y = part.begin; y < part.end; ++y) {
    (this->*resize_row)(bytes_.data() + y * in_.width * channels_,
                        next_.data() + y * out_.width * channels_);
  }
}

void LanczosResizer::ResizeRows(const Part& part) {
  const std::size_t row = std::size_t{out_.width} * channels_;
  std::int32_t* sums = sums_[part.number].data();
  for (std::size_t y = part.begin; y < part.end; ++y) {
    std::fill_n(sums, row, kHalf);
    for (std::size_t t = 0; t < rows_.count[y]; ++t) {
      AddWeighted(bytes_.data() + (rows_.first[y] + t) * row, rows_.weights[y * rows_.widest + t],
                  row, sums);
    }
    std::uint8_t* to = next_.data() + y * row;
    for (std::size_t i = 0; i < row; ++i) {
      to[i] = ToByte(sums[i]);
    }
  }
}

}  // namespace framelock::nodes
