// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/phase_vocoder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace framelock::nodes {

namespace {

using std::numbers::pi;

// The resampler's kernel is a sinc of so many zero crossings a side under a Kaiser window.
constexpr std::size_t kCrossings = 32;
constexpr std::size_t kStepsPerCrossing = 256;
constexpr double kKaiserBeta = 10.0;
constexpr double kPassed = 0.945;  // of the band that is left, as soxr's HQ, half-way down

}  // namespace

PhaseVocoder::PhaseVocoder()
    : fourier_(kSize),
      window_(kSize),
      kernel_(kCrossings * kStepsPerCrossing + 2),
      phase_(kBins),
      scratch_(kSize) {
  for (std::size_t i = 0; i < kSize; ++i) {
    window_[i] = 0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(i) / kSize);
  }
  for (std::size_t i = 0; i + 1 < kernel_.size(); ++i) {
    const double at = static_cast<double>(i) / kStepsPerCrossing;
    const double edge = at / kCrossings;
    const double sinc = i == 0 ? 1.0 : std::sin(pi * at) / (pi * at);
    kernel_[i] = sinc * std::cyl_bessel_i(0.0, kKaiserBeta * std::sqrt(1 - edge * edge)) /
                 std::cyl_bessel_i(0.0, kKaiserBeta);
  }
}

void PhaseVocoder::ShiftPitch(std::span<float> samples, double semitones) {
  if (samples.empty()) {
    return;
  }
  const double rate = std::exp2(-semitones / 12);
  Analyse(samples);
  Stretch(rate);
  Synthesise(static_cast<std::size_t>(
      std::max(std::lround(static_cast<double>(samples.size()) / rate), 1L)));
  Resample(rate, samples);
}

// Frame i is centred at sample i * kHop; there is silence outside.
void PhaseVocoder::Analyse(std::span<const float> samples) {
  const std::size_t count = 1 + samples.size() / kHop;
  frames_.resize(count * kBins);
  for (std::size_t frame = 0; frame < count; ++frame) {
    for (std::size_t i = 0; i < kSize; ++i) {
      const std::size_t at = frame * kHop + i;  // with half a frame of silence in front
      const bool inside = at >= kSize / 2 && at - kSize / 2 < samples.size();
      scratch_[i] = inside ? window_[i] * static_cast<double>(samples[at - kSize / 2]) : 0.0;
    }
    fourier_.Transform(scratch_);
    std::copy_n(scratch_.begin(), kBins,
                frames_.begin() + static_cast<std::ptrdiff_t>(frame * kBins));
  }
}

// Frames at every `rate`-th: magnitudes lie between those of the two neighbours, phases go on at
// the pace between those.
void PhaseVocoder::Stretch(double rate) {
  const std::size_t count = frames_.size() / kBins;
  const auto made = static_cast<std::size_t>(std::ceil(static_cast<double>(count) / rate));
  stretched_.resize(made * kBins);
  frames_.resize((count + 2) * kBins);  // silence behind
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    phase_[bin] = std::arg(frames_[bin]);
  }
  for (std::size_t frame = 0; frame < made; ++frame) {
    const double at = static_cast<double>(frame) * rate;
    const auto whole = std::min(static_cast<std::size_t>(at), count);
    const double part = at - std::floor(at);
    const auto* left = &frames_[whole * kBins];
    const auto* right = left + kBins;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      const double magnitude = (1 - part) * std::abs(left[bin]) + part * std::abs(right[bin]);
      stretched_[frame * kBins + bin] = std::polar(magnitude, phase_[bin]);
      const double advance = 2 * pi * kHop * static_cast<double>(bin) / kSize;
      const double turn = std::arg(right[bin]) - std::arg(left[bin]) - advance;
      phase_[bin] += advance + turn - 2 * pi * std::nearbyint(turn / (2 * pi));
    }
  }
  frames_.resize(count * kBins);
}

// Overlapping frames are added, and divided by what their windows add up to.
void PhaseVocoder::Synthesise(std::size_t length) {
  const std::size_t count = std::min(stretched_.size() / kBins, (length + kSize + kHop - 1) / kHop);
  sum_.assign(std::max(kSize + kHop * (count - 1), length + kSize / 2), 0.0);
  weight_.assign(sum_.size(), 0.0);
  for (std::size_t frame = 0; frame < count; ++frame) {
    const auto* bins = &stretched_[frame * kBins];
    std::copy_n(bins, kBins, scratch_.begin());
    for (std::size_t bin = 1; bin + 1 < kBins; ++bin) {
      scratch_[kSize - bin] = std::conj(bins[bin]);
    }
    fourier_.Invert(scratch_);
    for (std::size_t i = 0; i < kSize; ++i) {
      sum_[frame * kHop + i] += window_[i] * scratch_[i].real();
      weight_[frame * kHop + i] += window_[i] * window_[i];
    }
  }
  constexpr double kTiny = 1e-30;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t from = i + kSize / 2;
    sum_[i] = weight_[from] > kTiny ? sum_[from] / weight_[from] : sum_[from];
  }
  sum_.resize(length);
}

// Sample i of the output is the sound at i / rate, without what is above its band.
void PhaseVocoder::Resample(double rate, std::span<float> out) const {
  const double band = kPassed * std::min(rate, 1.0);
  const double reach = kCrossings / band;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double at = static_cast<double>(i) / rate;
    const auto first = static_cast<std::ptrdiff_t>(std::ceil(std::max(at - reach, 0.0)));
    const auto last = std::min(static_cast<std::ptrdiff_t>(std::floor(at + reach)),
                               static_cast<std::ptrdiff_t>(sum_.size()) - 1);
    double sample = 0;
    for (std::ptrdiff_t tap = first; tap <= last; ++tap) {
      const double place = std::abs(at - static_cast<double>(tap)) * band * kStepsPerCrossing;
      const auto step = std::min(static_cast<std::size_t>(place), kernel_.size() - 2);
      const double part = place - static_cast<double>(step);
      sample += sum_[static_cast<std::size_t>(tap)] *
                (kernel_[step] + part * (kernel_[step + 1] - kernel_[step]));
    }
    out[i] = static_cast<float>(sample * band);
  }
}

}  // namespace framelock::nodes
