// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "workers/graph/session.h"

namespace framelock::worker {

/// Whether a frame of this size can be shown.
[[nodiscard]] bool IsPicture(const graph::Session::Shape& shape);
/// "output size 0x7 is out of range, …".
[[nodiscard]] std::string OutOfRange(const graph::Session::Shape& shape);

/// How many frames nobody sees before a graph takes over: graphs warm up in their first few.
struct Rehearsals {
  int most = 5;
  std::chrono::milliseconds quick{5};  // a frame that takes less has nothing left to warm up
};

/// Runs frames of this shape that nobody sees, and tells what comes out. Where they fail that is
/// not known, and the shape is the input's: each frame will say why in its own answer.
graph::Session::Shape Rehearse(graph::Session& session, const graph::Session::Shape& frame,
                               const Rehearsals& rehearsals);

}  // namespace framelock::worker
