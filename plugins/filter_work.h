// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "plugins/audio_pieces.h"
#include "plugins/line_frame.h"
#include "plugins/size_wish.h"
#include "workers/host/worker_seat.h"

namespace framelock::plugins {

struct WorkerReady {
  std::int32_t pid;
};
struct WorkerSwitched {  // the one on standby has taken over
  std::int32_t pid;
};
struct Failure {  // the element can not go on
  std::string message;
};
struct Complaint {  // to be logged; at most one a second, and one at a time
  std::uint64_t failed_frames;
  std::string last_error;
};
struct Renegotiate {};     // the region is new: upstream should ask for buffers again
using Resize = FrameSize;  // upstream should give frames of this size
struct AudioLength {       // how much audio the graph takes at once; 0: none
  std::chrono::milliseconds length;
};
using WorkerLost = host::WorkerSeat::Lost;

/// What a FilterEngine gives its element to do: something to push, or to tell.
using FilterWork = std::variant<LineOutput, WorkerReady, WorkerSwitched, WorkerLost, Failure,
                                Complaint, Renegotiate, Resize, AudioLength, AudioOutput>;

}  // namespace framelock::plugins
