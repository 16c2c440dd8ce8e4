// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace framelock::nodes {

/// Fourier transforms of one size, a power of two, in place. Made once, then only read.
class Fourier {
 public:
  explicit Fourier(std::size_t size);

  /// `values` are as many as the size.
  void Transform(std::span<std::complex<double>> values) const { Run(values, Sign::kForward); }
  /// The inverse, scaled: it gives back what was transformed.
  void Invert(std::span<std::complex<double>> values) const;

 private:
  enum class Sign { kForward, kInverse };
  void Run(std::span<std::complex<double>> values, Sign sign) const;

  std::vector<std::size_t> reversed_;          // by index: its bits the other way round
  std::vector<std::complex<double>> factors_;  // e^(-2 pi i k / size), k below size / 2
};

}  // namespace framelock::nodes
