// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/prompt_verdict.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/net/loop.h"
#include "pipeline/stream/stream_config.h"
#include "workers/host/worker_client.h"

namespace framelock::api {

/// Our end of one conversation with a worker. It has one reader at a time: this while Prepare()
/// runs, afterwards whoever the socket is lent to; ours only keeps the conversation alive. Loop
/// thread only.
class WorkerLine {
 public:
  /// `client`: has greeted the worker already, and is the reader.
  static Result<WorkerLine> Of(std::unique_ptr<host::WorkerClient> client);
  /// Nobody has.
  explicit WorkerLine(UniqueFd socket) : near_(std::move(socket)) {}

  /// Greets the worker (again) and sees to it that `prompt` is what it runs, under `revision` or a
  /// later one, with `settings`.
  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt,
                                           const stream::WorkerSettings& settings,
                                           std::uint64_t revision,
                                           std::chrono::nanoseconds timeout);
  [[nodiscard]] int socket() const { return near_.get(); }
  /// Also while Prepare() runs, which fails then.
  void Close();
  /// Since when its heart has not beaten, as seen on the page of the last Prepare(); another host's
  /// greeting stops it there. nullopt: it was not greeted.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> HeartbeatAge() const;

 private:
  net::Task<Result<PromptVerdict>> Judge(const std::string& prompt, const std::string& settings,
                                         std::uint64_t revision, SteadyTime deadline);
  net::Task<Status> Greet(SteadyTime deadline);
  net::Task<Result<PromptVerdict>> SetPrompt(const std::string& prompt, const std::string& settings,
                                             std::uint64_t revision, SteadyTime deadline);

  UniqueFd near_;
  std::unique_ptr<host::WorkerClient> client_;
  bool busy_ = false;  // Prepare() runs
  bool closed_ = false;
  bool greeted_ = false;  // by client_, and nobody has read since
};

}  // namespace framelock::api
