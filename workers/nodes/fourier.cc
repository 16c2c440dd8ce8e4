// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/fourier.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace framelock::nodes {

Fourier::Fourier(std::size_t size) : reversed_(size), factors_(size / 2) {
  for (std::size_t i = 1; i < size; ++i) {
    reversed_[i] = reversed_[i / 2] / 2 + (i % 2) * (size / 2);
  }
  for (std::size_t k = 0; k < factors_.size(); ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size);
    factors_[k] = {std::cos(angle), std::sin(angle)};
  }
}

// Cooley and Tukey's, of radix 2: the halves of each block are joined, block by block.
void Fourier::Run(std::span<std::complex<double>> values, Sign sign) const {
  const std::size_t size = reversed_.size();
  for (std::size_t i = 0; i < size; ++i) {
    if (i < reversed_[i]) {
      std::swap(values[i], values[reversed_[i]]);
    }
  }
  for (std::size_t half = 1; half < size; half *= 2) {
    const std::size_t step = size / (2 * half);
    for (std::size_t block = 0; block < size; block += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::complex<double> factor = factors_[k * step];
        const double imaginary = sign == Sign::kForward ? factor.imag() : -factor.imag();
        std::complex<double>& low = values[block + k];
        std::complex<double>& high = values[block + half + k];
        // Written out: the library's product looks for infinities.
        const std::complex<double> turned(high.real() * factor.real() - high.imag() * imaginary,
                                          high.real() * imaginary + high.imag() * factor.real());
        high = low - turned;
        low += turned;
      }
    }
  }
}

void Fourier::Invert(std::span<std::complex<double>> values) const {
  Run(values, Sign::kInverse);
  for (std::complex<double>& value : values) {
    value /= static_cast<double>(reversed_.size());
  }
}

}  // namespace framelock::nodes
