// SPDX-License-Identifier: Apache-2.0
#include "workers/main/rehearsal.h"

#include "pipeline/core/log.h"
#include "workers/main/guarded.h"
#include "workers/protocol/messages.h"

namespace framelock::worker {

using Shape = graph::Session::Shape;

bool IsPicture(const Shape& shape) {
  return shape.width > 0 && shape.width <= protocol::kMaxDimension && shape.height > 0 &&
         shape.height <= protocol::kMaxDimension;
}

std::string OutOfRange(const Shape& shape) {
  return "output size " + std::to_string(shape.width) + "x" + std::to_string(shape.height) +
         " is out of range, 1x1 to " + std::to_string(protocol::kMaxDimension) + "x" +
         std::to_string(protocol::kMaxDimension);
}

Shape Rehearse(graph::Session& session, const Shape& frame, const Rehearsals& rehearsals) {
  Shape output = frame;
  for (int i = 0; i < rehearsals.most; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto shape = Guarded([&] { return session.Probe(frame); });
    if (!shape || !IsPicture(*shape)) {
      spdlog::warn("dry run at {}x{} failed: {}", frame.width, frame.height,
                   shape ? OutOfRange(*shape) : shape.error().message);
      return frame;
    }
    output = *shape;
    if (std::chrono::steady_clock::now() - start < rehearsals.quick) break;
  }
  return output;
}

}  // namespace framelock::worker
