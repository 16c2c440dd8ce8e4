// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pipeline/core/unique_fd.h"

namespace framelock::testing {

/// An HTTP/1.1 server on loopback whose answers a test writes byte by byte. One thread a
/// connection; requests without a script get 404. The destructor ends every connection and joins.
class ScriptedServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  // names in lower case
    std::size_t ordinal = 0;                     // how many with this method and target came before
  };

  /// One request's turn on its connection. All waiting ends when the server stops.
  class Exchange {
   public:
    Exchange(ScriptedServer& server, int fd, std::string& pending)
        : server_(server), fd_(fd), pending_(pending) {}

    void Send(std::string_view bytes) const;
    /// "HTTP/1.1 STATUS x", the given header lines ("A: b\r\n"), Content-Length and the body.
    void Answer(unsigned status, std::string_view headers = {}, std::string_view body = {}) const;
    /// 200 with a chunked body still to come.
    void BeginBody(std::uint64_t seq, std::string_view headers = {}) const;
    void Chunk(std::string_view bytes) const;
    void EndBody() const { Send("0\r\n\r\n"); }
    /// The next chunk of the request's chunked body; "" at its end; nullopt: the peer went away.
    std::optional<std::string> ReadChunk();
    /// The rest of it; nullopt: the peer went away before its end.
    std::optional<std::string> ReadBody();
    /// True when the peer closed the connection (or sent something) in time.
    [[nodiscard]] bool WaitForPeer(std::chrono::milliseconds timeout) const;
    /// Waits until the peer goes away, without answering.
    void Hold() const;
    void Close();  // FIN, after what was sent
    void Reset();  // RST
    [[nodiscard]] bool closed() const { return closed_; }

   private:
    std::optional<std::string> ReadLine();
    bool Fill();

    ScriptedServer& server_;
    int fd_;
    std::string& pending_;
    bool closed_ = false;
    friend class ScriptedServer;
  };

  using Script = std::function<void(Exchange&, const Request&)>;

  /// port 0 picks one.
  explicit ScriptedServer(std::uint16_t port = 0);
  ~ScriptedServer();

  /// "GET /ch/0"; "GET *" stands for every other GET. Call before the requests come.
  void On(std::string request_line, Script script);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string Url(std::string_view path) const;
  [[nodiscard]] std::size_t connections() const { return accepted_.load(); }
  /// "GET /ch/0", in the order of arrival.
  [[nodiscard]] std::vector<std::string> requests() const;
  [[nodiscard]] std::size_t Count(std::string_view request_line) const;
  [[nodiscard]] bool stopping() const { return stopping_.load(); }

 private:
  struct Connection {
    UniqueFd fd;
    std::thread thread;
  };

  void Accept();
  void Serve(int fd);
  bool ServeOne(Exchange& exchange);

  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> accepted_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Script> scripts_;
  std::vector<std::string> requests_;
  std::list<Connection> connections_;
  std::thread acceptor_;
};

}  // namespace framelock::testing
