// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"
#include "trickle/relay/channel.h"

namespace framelock::relay {

struct PublicationOptions {
  std::chrono::milliseconds orphan_grace{2000};
  std::chrono::milliseconds preconnect_keepalive{10000};  // an interim 100 so often
  std::size_t max_segment_bytes = 0;
};

/// Answers one POST of a segment: `segment` is where its body goes. Returns when it is answered, or
/// when the publisher vanished; then the segment stays open for the grace.
net::Task<> Publish(net::Loop& loop, net::HttpExchange& exchange, std::shared_ptr<Channel> channel,
                    std::shared_ptr<Segment> segment, PublicationOptions options);

/// Closes a segment whose publisher vanished, unless another one takes it up within the grace.
void LeaveOrphan(net::Loop& loop, std::shared_ptr<Channel> channel,
                 std::shared_ptr<Segment> segment, std::chrono::milliseconds grace);

}  // namespace framelock::relay
