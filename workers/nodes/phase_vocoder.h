// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include "workers/nodes/fourier.h"

namespace framelock::nodes {

/// Shifts the pitch of a piece of sound as librosa.effects.pitch_shift does: a short-time Fourier
/// transform (2048 samples, Hann window, hop 512) is stretched in time at the same frequencies, and
/// what comes of it is resampled to the piece's own length. Keeps its memory for the next piece.
/// Not thread-safe.
class PhaseVocoder {
 public:
  PhaseVocoder();

  /// In place. `semitones` may be any finite number; 0 is worth leaving out.
  void ShiftPitch(std::span<float> samples, double semitones);

 private:
  static constexpr std::size_t kSize = 2048, kHop = 512, kBins = kSize / 2 + 1;
  using Spectrum = std::vector<std::complex<double>>;  // frame after frame, kBins each

  void Analyse(std::span<const float> samples);
  void Stretch(double rate);
  void Synthesise(std::size_t length);
  void Resample(double rate, std::span<float> out) const;

  const Fourier fourier_;
  std::vector<double> window_;
  std::vector<double> kernel_;  // of the resampler: one side of it, finely sampled
  Spectrum frames_, stretched_;
  std::vector<double> phase_;                  // by bin
  std::vector<std::complex<double>> scratch_;  // kSize
  std::vector<double> sum_, weight_;           // of overlapping frames
};

}  // namespace framelock::nodes
