// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/process/child_process.h"

namespace framelock::api {

/// A framelock-stream that has loaded its libraries and waits for its configuration, in which most
/// of a start's time would go. It ends by itself when this is dropped. One thread.
class SpareMedia {
 public:
  struct Command {
    // Program and first arguments; --config-fd, --control-fd and --die-with-parent are appended.
    std::vector<std::string> argv;
    std::optional<std::uint64_t> open_file_limit;  // the process's soft one; unset: ours
  };
  static Result<SpareMedia> Start(const Command& command);

  /// True once it has ended, which it does not do by itself; it is reaped then.
  [[nodiscard]] bool ended() { return child_->Poll().has_value(); }

  /// What it became, to be watched by the caller.
  struct Running {
    std::unique_ptr<process::ChildProcess> child;
    PacketSocket line;
  };
  /// Gives it the configuration; it starts. kClosed: it has ended while it waited. Once.
  Result<Running> Configure(const std::string& config);

 private:
  SpareMedia(std::unique_ptr<process::ChildProcess> child, PacketSocket line, UniqueFd config)
      : child_(std::move(child)), line_(std::move(line)), config_(std::move(config)) {}

  std::unique_ptr<process::ChildProcess> child_;
  PacketSocket line_;
  UniqueFd config_;  // its other end is read to its end
};

}  // namespace framelock::api
