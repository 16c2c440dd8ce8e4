// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/packet_socket.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace framelock {

namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(PacketSocket::kMaxFds * sizeof(int));

// Collects every descriptor that came with a message, so that none leaks even when it is refused.
std::vector<UniqueFd> TakeFds(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<std::pair<PacketSocket, PacketSocket>> PacketSocket::CreatePair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return ErrnoError("create a socket pair");
  }
  return std::pair(PacketSocket(UniqueFd(ends[0])), PacketSocket(UniqueFd(ends[1])));
}

Result<PacketSocket> PacketSocket::Adopt(UniqueFd fd) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
    return ErrnoError("adopt a packet socket");
  }
  if (type != SOCK_SEQPACKET) {
    return Error{ErrorCode::kInvalidArgument, "the descriptor is not a SOCK_SEQPACKET socket"};
  }
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return ErrnoError("adopt a packet socket");
  }
  return PacketSocket(std::move(fd));
}

Status PacketSocket::Send(std::span<const std::byte> bytes, std::span<const int> fds) const {
  if (bytes.empty() || bytes.size() > kMaxBytes || fds.size() > kMaxFds) {
    return Error{ErrorCode::kInvalidArgument, "message size or descriptor count out of bounds"};
  }
  iovec vec{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr header{};
  header.msg_iov = &vec;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (::sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      return Error{ErrorCode::kUnavailable, "the packet socket is full"};
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return Error{ErrorCode::kClosed, "the peer closed the packet socket"};
    }
    return ErrnoError("send a packet");
  }
}

Result<std::optional<PacketSocket::Packet>> PacketSocket::Receive() const {
  // On the stack and not zeroed: for a message of 256 bytes, clearing 64 KiB was most of the work.
  std::array<std::byte, kMaxBytes> bytes;  // NOLINT: recvmsg fills it
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  iovec vec{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &vec;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::optional<Packet>();
    if (errno == ECONNRESET) return Error{ErrorCode::kClosed, "the peer closed the packet socket"};
    return ErrnoError("receive a packet");
  }
  Packet packet;
  packet.fds = TakeFds(header);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error{ErrorCode::kProtocol, "a packet exceeds the size or descriptor limit"};
  }
  if (got == 0) return Error{ErrorCode::kClosed, "the peer closed the packet socket"};
  packet.bytes.assign(bytes.data(), bytes.data() + got);
  return std::optional<Packet>(std::move(packet));
}

}  // namespace framelock
