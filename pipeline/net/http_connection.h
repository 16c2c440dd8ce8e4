// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "pipeline/net/connection_registry.h"
#include "pipeline/net/http_exchange.h"
#include "pipeline/net/request_parser.h"
#include "pipeline/net/tcp_stream.h"

namespace framelock::net {

/// Serves one connection, request after request, until it closes. Owned by its own coroutine.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<const HttpServerState> state, boost::asio::ip::tcp::socket socket);

  /// Takes the connection's place in the registry.
  void Register();
  /// The connection's life; spawn it once.
  static Task<> Serve(std::shared_ptr<HttpConnection> self);

 private:
  Task<bool> ReadHead(RequestParser& parser, SteadyTime first_byte_deadline);
  Task<bool> ServeOne(SteadyTime first_byte_deadline);
  Task<> Reject(unsigned status, std::string reason);
  Task<> Linger();

  const std::shared_ptr<const HttpServerState> state_;
  std::shared_ptr<TcpStream> stream_;
  ConnectionRegistry::Ticket ticket_;
  std::string remote_;
  bool idle_ = true;  // between requests
};

}  // namespace framelock::net
