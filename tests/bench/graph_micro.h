// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

namespace framelock::bench {

/// What the graph engine itself costs: nodes that do next to nothing, on frames of one pixel.
void GraphOfTrivialNodes(benchmark::State& state);
void GraphOfCachedNodes(benchmark::State& state);

}  // namespace framelock::bench
