// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/media_report.h"
#include "api/prompt_update.h"
#include "api/stream_worker.h"
#include "api/text_feed.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// One framelock-stream process as its stream sees it. Loop thread only. Destroying it kills the
/// process.
class MediaProcess {
 public:
  virtual ~MediaProcess() = default;
  [[nodiscard]] virtual pid_t pid() const = 0;
  [[nodiscard]] virtual const MediaReport& report() const = 0;

  /// The graph that the worker runs already is for frames of `size`.
  virtual Status LendWorker(int socket, std::uint64_t lease, InputSize size) = 0;
  /// The same, but it takes over between two frames; the report's switched_lease answers.
  virtual Status SwitchWorker(int socket, std::uint64_t lease, InputSize size) = 0;
  virtual Status SendPrompt(std::uint64_t request, const std::string& text,
                            const GraphSettings& settings) = 0;
  virtual Status RequestStop() = 0;

  virtual void Signal(int signal) = 0;
  virtual void Kill() = 0;
  /// Set once the process has ended and was reaped.
  [[nodiscard]] virtual const std::optional<Departure>& departure() const = 0;
};

/// Starts media processes: framelock-stream, or a fake.
class MediaSource {
 public:
  virtual ~MediaSource() = default;
  /// `changed` is notified whenever the report or the texts change or the process departs; `texts`
  /// takes what the graph says.
  virtual Result<std::unique_ptr<MediaProcess>> Spawn(const stream::StreamConfig& config,
                                                      std::shared_ptr<net::Signal> changed,
                                                      std::shared_ptr<TextFeed> texts) = 0;
};

}  // namespace framelock::api
