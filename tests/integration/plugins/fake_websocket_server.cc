// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/fake_websocket_server.h"

#include <glib.h>
#include <sys/socket.h>

#include <array>

namespace framelock::testing {
namespace {

std::string AcceptKey(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<guint8, 20> digest{};
  gsize size = digest.size();
  GChecksum* sum = g_checksum_new(G_CHECKSUM_SHA1);
  g_checksum_update(sum, reinterpret_cast<const guchar*>(text.data()), text.size());
  g_checksum_get_digest(sum, digest.data(), &size);
  g_checksum_free(sum);
  gchar* encoded = g_base64_encode(digest.data(), digest.size());
  std::string result(encoded);
  g_free(encoded);
  return result;
}

}  // namespace

bool FakeWebSocketPeer::SendFrame(std::string_view payload, Opcode opcode, std::uint8_t fin) {
  std::string frame;
  frame.push_back(static_cast<char>(fin | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() < 65536) {
    frame.push_back(126);
    for (int shift = 8; shift >= 0; shift -= 8)
      frame.push_back(static_cast<char>(payload.size() >> shift));
  } else {
    frame.push_back(127);
    for (int shift = 56; shift >= 0; shift -= 8)
      frame.push_back(static_cast<char>(payload.size() >> shift));
  }
  return WriteAll(fd_, frame) && WriteAll(fd_, payload);
}

void FakeWebSocketPeer::Close(std::uint16_t code) {
  const std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code)};
  Send(payload, kClose);
  while (Receive()) {
  }
}

void FakeWebSocketPeer::Abort() {
  const linger reset = {1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  shutdown(fd_, SHUT_RDWR);
}

std::optional<FakeWebSocketPeer::Frame> FakeWebSocketPeer::Receive() {
  for (;;) {
    auto frame = ReceiveSilently();
    if (!frame || frame->opcode != kPing) return frame;
    Send(frame->payload, kPong);
  }
}

std::optional<FakeWebSocketPeer::Frame> FakeWebSocketPeer::ReceiveSilently() {
  std::array<std::uint8_t, 2> head{};
  if (!ReadExactly(fd_, head.data(), head.size())) return std::nullopt;
  std::uint64_t size = head[1] & 0x7f;
  const int extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (extra > 0) {
    std::array<std::uint8_t, 8> bytes{};
    if (!ReadExactly(fd_, bytes.data(), static_cast<std::size_t>(extra))) return std::nullopt;
    size = 0;
    for (int i = 0; i < extra; ++i) size = size << 8 | bytes[static_cast<std::size_t>(i)];
  }
  std::array<char, 4> mask{};
  if ((head[1] & 0x80) != 0 && !ReadExactly(fd_, mask.data(), mask.size())) return std::nullopt;
  Frame frame{static_cast<std::uint8_t>(head[0] & 0x0f), std::string(size, '\0')};
  if (!ReadExactly(fd_, frame.payload.data(), size)) return std::nullopt;
  for (std::size_t i = 0; i < frame.payload.size(); ++i) frame.payload[i] ^= mask[i % 4];
  return frame;
}

void FakeWebSocketServer::Serve(int fd) {
  const std::string head = ReadHead(fd);
  if (head.empty()) return;
  if (!options_.refuse_with.empty()) {
    WriteAll(fd, "HTTP/1.1 " + options_.refuse_with +
                     "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  WriteAll(fd,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
               AcceptKey(HeaderValue(head, "Sec-WebSocket-Key:")) + "\r\n\r\n");
  const std::size_t target = head.find(' ') + 1;
  FakeWebSocketPeer peer(fd, head.substr(target, head.find(' ', target) - target));
  session_(peer);
}

}  // namespace framelock::testing
