// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "pipeline/net/connection_registry.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/request_parser.h"
#include "pipeline/net/response_head.h"
#include "pipeline/net/tcp_stream.h"

namespace framelock::net {

/// What the connections of one server share; outlives the server until the last of them is gone.
struct HttpServerState {
  HttpServerOptions options;
  HttpServer::Handler handler;
  std::shared_ptr<ConnectionRegistry> registry = std::make_shared<ConnectionRegistry>();
};

/// The server's HttpExchange: one request on a TcpStream, whose head has been parsed. Borrows all
/// it is given from the connection, which outlives it.
class StreamExchange final : public HttpExchange {
 public:
  StreamExchange(TcpStream& stream, RequestParser& parser, ConnectionRegistry::Ticket& ticket,
                 const HttpServerState& state, std::string remote);

  const HttpRequest& request() const override { return request_; }
  Task<Result<std::size_t>> ReadBody(std::span<std::byte> buffer,
                                     std::chrono::nanoseconds timeout) override;
  Task<Result<std::string>> ReadWholeBody(std::size_t max_bytes) override;
  Task<Status> WaitForPeerClose() override { return stream_.WaitForPeerClose(); }
  void Interrupt() override { stream_.Interrupt(); }
  void Abort() override { stream_.Close(); }
  bool peer_closed() const override { return stream_.peer_closed(); }
  Task<Status> SendContinue() override;
  Task<Status> Respond(HttpResponse response) override;
  Task<Status> BeginResponse(HttpResponse head, std::span<const std::byte> first_piece) override;
  Task<Status> WriteBody(std::span<const std::byte> piece) override;
  bool TryBeginResponse(const HttpResponse& head, std::span<const std::byte> first_piece,
                        Then then) override;
  bool TryWriteBody(std::span<const std::byte> piece, Then then) override;
  Task<Status> FlushBody() override;
  Task<Status> EndResponse() override;
  bool wants_websocket() const override;
  Task<Result<std::unique_ptr<WebSocket>>> Upgrade(std::size_t max_message_bytes) override;

  /// What the connection does after the handler returned.
  enum class Ending : std::uint8_t {
    kNextRequest,  // everything was read and answered
    kClose,        // answered: close in good order
    kAbort,        // the answer is incomplete: the peer must see that
    kUpgraded,     // the socket is not ours any more
  };
  /// Answers 500 where the handler did not answer, drains what is left of the body.
  Task<Ending> Finish();

 private:
  enum class Progress : std::uint8_t { kUnanswered, kStreaming, kAnswered, kUpgraded, kBroken };

  Task<bool> Drain();
  Result<std::string> FormatHead(const HttpResponse& response, ResponseFraming framing);
  Task<Status> Send(std::vector<boost::asio::const_buffer> pieces);
  Status FormatBegin(const HttpResponse& head);
  void Frame(std::span<const std::byte> piece, Then then);
  bool TrySend();
  [[nodiscard]] bool MustCloseForBody() const;
  [[nodiscard]] bool is_head() const { return request_.method == "HEAD"; }

  TcpStream& stream_;
  RequestParser& parser_;
  ConnectionRegistry::Ticket& ticket_;
  const HttpServerState& state_;
  HttpRequest request_;
  Progress progress_ = Progress::kUnanswered;
  std::string head_;                               // of a streamed response
  std::string size_line_;                          // of the chunk that is being sent
  std::vector<boost::asio::const_buffer> unsent_;  // what is to be sent, or what Try… left of it
  bool close_ = false;
  bool chunked_ = false;          // of a streamed response
  bool body_broken_ = false;      // its framing: nothing behind it can be trusted
  bool awaits_continue_ = false;  // the peer holds its body back until it gets a 100
};

}  // namespace framelock::net
