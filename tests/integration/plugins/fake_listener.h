// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pipeline/core/unique_fd.h"

namespace framelock::testing {

/// Reads exactly `size` bytes; false at the connection's end.
bool ReadExactly(int fd, void* to, std::size_t size);
bool WriteAll(int fd, std::string_view bytes);
/// Everything up to and with the first empty line; empty at the connection's end.
std::string ReadHead(int fd);
/// A header's value in such a head; empty if absent. `name` with its colon.
std::string HeaderValue(const std::string& head, std::string_view name);

/// Listens on a loopback port of its own and serves each connection on a thread of its own. The
/// destructor shuts all connections and joins.
class FakeListener {
 public:
  using Serve = std::function<void(int fd)>;

  explicit FakeListener(Serve serve);
  ~FakeListener();

  [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void Accept();

  const Serve serve_;
  std::uint16_t port_ = 0;  // set with listener_
  UniqueFd listener_;
  std::atomic<int> connections_{0};
  std::vector<UniqueFd> sockets_;      // acceptor thread, then the destructor
  std::vector<std::thread> sessions_;  // likewise
  std::thread acceptor_;
};

/// A port that accepts no connection's data: TCP connects, nothing ever answers.
class DeadListener {
 public:
  DeadListener();
  [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::uint16_t port_ = 0;  // set with listener_
  UniqueFd listener_;
};

}  // namespace framelock::testing
