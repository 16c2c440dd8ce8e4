// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/media_process.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// Starts framelock-stream processes and speaks the control line with them. Owned by the daemon;
/// outlives the streams. Loop thread only.
class FramelockStreamSource final : public MediaSource {
 public:
  /// `command`: program and first arguments; --config-fd, --control-fd and --die-with-parent are
  /// appended. `loop` is borrowed.
  FramelockStreamSource(net::Loop& loop, std::vector<std::string> command)
      : loop_(loop), command_(std::move(command)) {}

  Result<std::unique_ptr<MediaProcess>> Spawn(const stream::StreamConfig& config,
                                              std::shared_ptr<net::Signal> changed) override;

 private:
  net::Loop& loop_;
  std::vector<std::string> command_;
};

}  // namespace framelock::api
