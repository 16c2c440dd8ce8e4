// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/core/unique_fd.h"

namespace framelock::test {

/// A blocking HTTP client on a raw loopback socket, for tests that care about every byte on the
/// wire: when a head comes, how a body is cut, who closes. One thread.
class HttpProbe {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  using Milliseconds = std::chrono::milliseconds;

  explicit HttpProbe(std::uint16_t port);

  HttpProbe& Send(std::string_view bytes);
  HttpProbe& Request(std::string_view method, std::string_view target, const Headers& headers = {},
                     std::optional<std::string_view> body = std::nullopt);
  /// As Request, with "Transfer-Encoding: chunked" and no body yet.
  HttpProbe& RequestChunked(std::string_view method, std::string_view target,
                            const Headers& headers = {});
  HttpProbe& Chunk(std::string_view bytes);
  HttpProbe& EndChunks() { return Send("0\r\n\r\n"); }

  /// Waits for the final head; interim ones are counted. False after the time or at the peer's end.
  bool ReadHead(Milliseconds timeout = Milliseconds(3000));
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] int interim() const { return interim_; }
  [[nodiscard]] const std::map<std::string, std::string>& headers() const { return headers_; }
  /// A header of the final head, by its lower-case name.
  [[nodiscard]] std::optional<std::string> Header(const std::string& name) const;

  /// Next piece of the body (one chunk), "" at its end, nullopt if nothing came in time.
  std::optional<std::string> Some(Milliseconds timeout = Milliseconds(3000));
  /// Pieces until there are `size` bytes or the body ended.
  std::string AtLeast(std::size_t size, Milliseconds timeout = Milliseconds(3000));
  /// The rest of the body; nullopt if it was cut off or too slow.
  std::optional<std::string> Body(Milliseconds timeout = Milliseconds(5000));
  /// Raw bytes up to the peer's end or the timeout.
  std::string Raw(Milliseconds timeout);

  /// True once the peer has ended the connection (waits up to the timeout).
  bool PeerClosed(Milliseconds timeout = Milliseconds(3000));
  void Close() { socket_.reset(); }
  /// Closes with a reset instead of an end.
  void Abort();
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  bool Fill(Deadline deadline);
  std::optional<std::string> SomeUntil(Deadline deadline);

  UniqueFd socket_;
  std::string buffer_;
  std::map<std::string, std::string> headers_;
  std::optional<std::size_t> length_;
  int status_ = 0;
  int interim_ = 0;
  bool chunked_ = false;
  bool body_ended_ = false;
  bool peer_ended_ = false;
};

/// One whole exchange on a connection of its own.
struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};
HttpAnswer Ask(std::uint16_t port, std::string_view method, std::string_view target,
               HttpProbe::Headers headers = {},
               std::optional<std::string_view> body = std::nullopt);

}  // namespace framelock::test
