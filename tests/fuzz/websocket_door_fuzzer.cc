// SPDX-License-Identifier: Apache-2.0
// What a WebSocket peer sends after the upgrade, through Beast as the server sets it up, into the
// cutter of a publishing door.
#include <utility>  // Boost 1.74 forgets it: must come first

#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trickle/relay/ts_cutter.h"

namespace {
namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr std::size_t kMaxMessage = 64 * 1024;

beast::http::request<beast::http::empty_body> UpgradeRequest() {
  using beast::http::field;
  beast::http::request<beast::http::empty_body> request(beast::http::verb::get, "/ws/a", 11);
  request.set(field::host, "t");
  request.set(field::connection, "upgrade");
  request.set(field::upgrade, "websocket");
  request.set(field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  request.set(field::sec_websocket_version, "13");
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::asio::io_context context;
  beast::test::stream peer(context);
  websocket::stream<beast::test::stream> socket(context);
  socket.next_layer().connect(peer);
  socket.read_message_max(kMaxMessage);
  beast::error_code error;
  socket.accept(UpgradeRequest(), error);
  if (error) return 0;
  boost::asio::write(peer, boost::asio::buffer(data, size), error);
  peer.close();
  framelock::relay::TsCutter cutter({});
  for (;;) {
    beast::flat_buffer buffer;
    socket.read(buffer, error);
    if (error) return 0;
    if (buffer.size() > kMaxMessage) std::abort();
    const auto message = std::as_bytes(
        std::span(static_cast<const char*>(buffer.data().data()), buffer.data().size()));
    static_cast<void>(cutter.Push(message));
  }
}
