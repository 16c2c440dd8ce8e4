// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"
#include "trickle/relay/channel_table.h"
#include "trickle/relay/door.h"
#include "trickle/relay/publication.h"
#include "trickle/relay/route.h"

namespace framelock::relay {

struct RelayOptions {
  std::string base = "/";
  std::string version;  // for /_status
  ChannelTableOptions channels;
  std::chrono::milliseconds sweep_interval = std::chrono::minutes(1);
  std::chrono::milliseconds orphan_grace{2000};
  std::chrono::milliseconds preconnect_keepalive{10000};
  DoorOptions door;
};

/// A trickle server's answers (see trickle/PROTOCOL.md). Give Handle to an HttpServer on the same
/// loop. Must outlive the loop's Run; loop thread only.
class Relay {
 public:
  /// kInvalidArgument for a base that is not a path.
  static Result<std::unique_ptr<Relay>> Create(net::Loop& loop, RelayOptions options,
                                               const Clock& clock = Clock::System());

  net::Task<> Handle(net::HttpExchange& exchange);
  /// Spawn it once: ends idle channels, as long as the loop runs.
  net::Task<> SweepForever();
  /// Ends every channel: who waits gets its answer.
  void Close() { table_.CloseAll(); }

  ChannelTable& channels() { return table_; }

 private:
  Relay(net::Loop& loop, RelayOptions options, const Clock& clock);

  net::Task<> Dispatch(net::HttpExchange& exchange, Route route);
  net::Task<> StartPublication(net::HttpExchange& exchange, const Route& route);
  net::HttpResponse CreateChannel(const net::HttpRequest& request, const Route& route);
  net::HttpResponse DeleteChannel(const Route& route);
  net::HttpResponse DeleteSegment(const Route& route);
  net::HttpResponse Next(const Route& route);
  net::HttpResponse StatusPage() const;
  net::HttpResponse AnswerOf(const net::HttpRequest& request, const Route& route);

  net::Loop& loop_;
  const RelayOptions options_;
  ChannelTable table_;
  Door door_;
};

}  // namespace framelock::relay
