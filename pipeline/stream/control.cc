// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/control.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/core/sealed_text.h"

namespace framelock::stream {

namespace {

// Stands for an object too long for a packet: the first descriptor holds it.
constexpr std::string_view kEnclosed = R"({"type":"enclosed"})";

Error NotAMessage(const std::string& why) {
  return Error{ErrorCode::kProtocol, "control message: " + why};
}

Result<nlohmann::json> ParseObject(std::string_view text) {
  nlohmann::json body = nlohmann::json::parse(text, nullptr, false);
  if (body.is_discarded()) return NotAMessage("not JSON");
  if (!body.is_object()) return NotAMessage("not an object");
  const auto type = body.find("type");
  if (type == body.end() || !type->is_string()) return NotAMessage("no \"type\"");
  return body;
}

}  // namespace

Status ControlChannel::Send(const nlohmann::json& message, int fd) const {
  // Bytes that are not UTF-8 (from a peer's error text) are replaced; dump() must not throw.
  std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::array<int, 2> fds{};
  std::size_t count = 0;
  UniqueFd enclosure;
  if (text.size() > kMaxMessageBytes) {
    return Error{ErrorCode::kResourceLimit, "control message longer than 4 MiB"};
  }
  if (text.size() > PacketSocket::kMaxBytes) {
    Result<UniqueFd> sealed = SealText(text);
    if (!sealed) return sealed.error();
    enclosure = std::move(*sealed);
    fds[count++] = enclosure.get();
    text = kEnclosed;
  }
  if (fd >= 0) fds[count++] = fd;
  return socket_.Send(std::as_bytes(std::span(text)), std::span(fds).first(count));
}

Result<std::optional<ControlChannel::Message>> ControlChannel::Receive() const {
  Result<std::optional<PacketSocket::Packet>> packet = socket_.Receive();
  if (!packet) return packet.error();
  if (!*packet) return std::optional<Message>();
  std::string text(reinterpret_cast<const char*>((*packet)->bytes.data()), (*packet)->bytes.size());
  std::vector<UniqueFd>& fds = (*packet)->fds;
  const bool enclosed = text == kEnclosed;
  if (enclosed) {
    if (fds.empty()) return NotAMessage("an enclosed object without its descriptor");
    // Anything else (a pipe, say) could keep us reading for as long as the peer likes.
    if (!IsSealed(fds.front().get())) return NotAMessage("an enclosed object that is not sealed");
    Result<std::string> object = ReadText(fds.front().get(), kMaxMessageBytes);
    if (!object) return NotAMessage(object.error().message);
    text = std::move(*object);
    fds.erase(fds.begin());
  }
  if (fds.size() > 1) return NotAMessage("more than one descriptor");
  Result<nlohmann::json> body = ParseObject(text);
  if (!body) return body.error();
  Message message{.body = std::move(*body), .fd = {}, .enclosed = enclosed};
  if (!fds.empty()) message.fd = std::move(fds.front());
  return std::optional<Message>(std::move(message));
}

}  // namespace framelock::stream
