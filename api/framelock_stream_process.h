// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  struct Options {
    // Program and first arguments; --config-fd, --control-fd and --die-with-parent are appended.
    std::vector<std::string> command;
    std::optional<std::uint64_t> open_file_limit;  // the processes' soft one; unset: ours
  };
  /// `loop` is borrowed.
  FramelockStreamSource(net::Loop& loop, Options options)
      : loop_(loop), options_(std::move(options)) {}

  Result<std::unique_ptr<MediaProcess>> Spawn(const stream::StreamConfig& config,
                                              std::shared_ptr<net::Signal> changed) override;

 private:
  net::Loop& loop_;
  const Options options_;
};

}  // namespace framelock::api
