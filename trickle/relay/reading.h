// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pipeline/net/http_server.h"
#include "trickle/relay/channel.h"
#include "trickle/relay/route.h"

namespace framelock::relay {

/// Answers one GET (or HEAD) of a segment: waits for its first byte, then sends all there is and
/// all that comes, until the segment ends. A reader that is too slow is dropped and counted.
net::Task<> Read(net::HttpExchange& exchange, std::shared_ptr<Channel> channel, SeqReference seq);

}  // namespace framelock::relay
