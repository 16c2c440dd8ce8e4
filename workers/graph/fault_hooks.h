// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace framelock::graph {

/// What a fault node asks of the program around the graph. Only tests register fault nodes, so
/// these stay as they are in a worker that serves streams. One thread: the session's.
struct FaultHooks {
  /// Set by FaultWrongSequence while a frame runs: the worker answers that frame under a sequence
  /// number that was never submitted, and clears the flag.
  bool wrong_sequence = false;
};

}  // namespace framelock::graph
