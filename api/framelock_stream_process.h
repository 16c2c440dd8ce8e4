// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "api/media_process.h"
#include "api/spare_media.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// Starts framelock-stream processes and speaks the control line with them. Owned by the daemon;
/// outlives the streams. Loop thread only.
class FramelockStreamSource final : public MediaSource {
 public:
  struct Options {
    SpareMedia::Command command;
    std::size_t warm = 1;  // processes kept ready
  };
  /// `loop` is borrowed.
  FramelockStreamSource(net::Loop& loop, Options options);

  Result<std::unique_ptr<MediaProcess>> Spawn(const stream::StreamConfig& config,
                                              std::shared_ptr<net::Signal> changed,
                                              std::shared_ptr<TextFeed> texts) override;

 private:
  struct Warm {
    const Options options;
    std::deque<SpareMedia> spares;
    std::optional<SteadyTime> refill_at;
  };
  static net::Task<> KeepWarm(std::weak_ptr<Warm> warm);
  static void Refill(Warm& warm);
  Result<SpareMedia::Running> Start(const std::string& config);

  net::Loop& loop_;
  const std::shared_ptr<Warm> warm_;
};

}  // namespace framelock::api
