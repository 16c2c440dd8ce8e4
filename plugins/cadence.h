// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace framelock::plugins {

/// What is published when the worker cannot keep up with its input, and when.
enum class Cadence : std::uint8_t {
  kSteady,   // results of evenly chosen frames, at the highest rate that the worker sustains
  kEvery,    // something for each input, at the input's pace; OnMissing stands in for results
  kAsReady,  // each result when it is there; the newest frame goes next
};

/// When the results of kSteady leave.
enum class Release : std::uint8_t {
  kEven,    // each at its time, so that the worker's noise does not show
  kAtOnce,  // when they are there; whoever comes after evens them out
};

}  // namespace framelock::plugins
