// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "api/stream.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// Answers GET /stream/{id}/data: `head`, then what the stream's graph says as server-sent events,
/// and a comment when it says nothing for 15 s, until the stream or the client ends. A client that
/// takes nothing for the server's write timeout is dropped. Loop thread only.
net::Task<> SendTextEvents(std::shared_ptr<Stream> stream, net::HttpExchange& exchange,
                           net::HttpResponse head);

}  // namespace framelock::api
