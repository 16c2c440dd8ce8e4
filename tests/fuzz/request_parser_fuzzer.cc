// SPDX-License-Identifier: Apache-2.0
// The HTTP server's way from bytes to requests: heads and chunked bodies, split anywhere. The same
// bytes have to mean the same however they come.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "pipeline/net/request_parser.h"

namespace {

using framelock::net::RequestParser;

struct Outcome {
  std::string head;
  std::string body;
  unsigned rejection = 0;
  bool broken = false;
  bool done = false;

  [[nodiscard]] bool settled() const { return rejection != 0 || broken || done; }
  bool operator==(const Outcome&) const = default;
};

constexpr std::size_t kWindow = 64 * 1024;

Outcome Parse(std::span<const std::byte> stream, std::size_t step) {
  RequestParser parser(4096);
  Outcome outcome;
  std::array<std::byte, 100> output;
  std::size_t begin = 0;  // the server's buffer is stream[begin, end)
  for (std::size_t end = 0; end < stream.size() && !outcome.done;) {
    end = std::min(end + step, stream.size());
    if (!parser.head_done()) {
      begin += parser.FeedHead(stream.subspan(begin, end - begin)).consumed;
      if (parser.rejection()) {
        outcome.rejection = parser.rejection()->status;
        return outcome;
      }
      if (!parser.head_done()) continue;
      const auto request = parser.TakeRequest();
      outcome.head = request.method + ' ' + request.path + '?' + request.query;
      for (const auto& [name, value] : request.headers) outcome.head += '\n' + name + ':' + value;
    }
    for (;;) {
      const auto fed = parser.FeedBody(stream.subspan(begin, end - begin), output);
      if (!fed.ok()) {
        outcome.broken = true;
        return outcome;
      }
      if (fed->consumed > end - begin || fed->produced > output.size()) std::abort();
      begin += fed->consumed;
      outcome.body.append(reinterpret_cast<const char*>(output.data()), fed->produced);
      if (fed->consumed == 0 && fed->produced == 0) break;
    }
    outcome.done = parser.body_done();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > kWindow) return 0;
  const auto stream = std::as_bytes(std::span(data + 1, size - 1));
  const Outcome whole = Parse(stream, stream.size());
  const Outcome split = Parse(stream, 1 + data[0] % 64);
  // A stream that ends early leaves one of them waiting; a refused head may be refused for another
  // of its faults. But no head and no body may be read in two ways.
  if (!whole.settled() || !split.settled()) return 0;
  if (whole.rejection != 0 && split.rejection != 0) return 0;
  if (whole != split) std::abort();
  return 0;
}
