// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "tests/bench/end_to_end/suites.h"
#include "tests/bench/handover_suite.h"
#include "tests/bench/micro.h"
#include "tests/bench/relay_suite.h"
#include "tests/bench/suite.h"

namespace framelock::bench {

std::span<const Suite> Suites() {
  static constexpr std::array kSuites{
      Suite{"relay", "the relay: latency, cost and capacity; beside --peer-relay", RunRelay},
      Suite{"seam", "the gap between two segments, with and without preconnecting", RunSeam},
      Suite{"handover", "a frame's way to the worker and back, beside other ways", RunHandover},
      Suite{"micro", "the small hot things alone: ledger, codec, parser, segment, cutter, slots",
            RunMicro},
      Suite{"latency", "from a raw picture to its last packet, less the same way without us",
            RunLatency},
      Suite{"cost", "CPU and memory of a stream, beside the bare codec chain", RunCost},
      Suite{"overload", "a worker slower than its input: right, even and fresh frames",
            RunOverload},
      Suite{"start", "from POST /stream/start to the first processed frame", RunStart},
      Suite{"prompt", "from a prompt's update to its first frame, calmly and in a burst",
            RunPrompt},
      Suite{"recovery", "a worker dies or hangs beside three healthy streams", RunRecovery},
      Suite{"density", "how many streams this machine holds", RunDensity},
  };
  return kSuites;
}

}  // namespace framelock::bench
