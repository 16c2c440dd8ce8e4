// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace framelock::api {

/// Where a stream is.
///
///   kStarting --(processes run)--> kRunning <--(new worker lent)-- kReplacingWorker
///      |                             |  ^ |                            ^
///      |                             |  | +-------(worker lost)--------+
///      |                             |  +--(process runs again)-- kRestartingMedia
///      |                             +----------(media process lost)---^
///      |  any of these --(stop, or the input ended)--> kStopping --> kStopped
///      +- any of these --(restart limit, refusal)----> kStopping --> kFailed
///
/// kReplacingWorker lasts for as long as the pool has no worker to give.
/// kStopped and kFailed are final; every process of the stream is reaped before.
enum class StreamState : std::uint8_t {
  kStarting,
  kRunning,
  kReplacingWorker,
  kRestartingMedia,
  kStopping,
  kStopped,
  kFailed,
};

constexpr const char* StreamStateName(StreamState state) {
  switch (state) {
    case StreamState::kStarting:
      return "starting";
    case StreamState::kRunning:
      return "running";
    case StreamState::kReplacingWorker:
      return "replacing_worker";
    case StreamState::kRestartingMedia:
      return "restarting_media";
    case StreamState::kStopping:
      return "stopping";
    case StreamState::kStopped:
      return "stopped";
    case StreamState::kFailed:
      break;
  }
  return "failed";
}

constexpr bool IsFinal(StreamState state) {
  return state == StreamState::kStopped || state == StreamState::kFailed;
}

}  // namespace framelock::api
