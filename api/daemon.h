// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "api/daemon_options.h"
#include "pipeline/core/result.h"

namespace framelock::api {

/// framelockd: pool, registry, control API and HTTP server on one loop. One thread does everything;
/// every wait is a coroutine.
class Daemon {
 public:
  /// Listens and starts the pool. Prints "listening on http://HOST:PORT" on stdout.
  static Result<std::unique_ptr<Daemon>> Create(DaemonOptions options);
  ~Daemon();

  /// Serves until SIGINT or SIGTERM, then stops every stream and returns.
  void Run();

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace framelock::api
