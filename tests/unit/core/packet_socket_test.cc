// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/packet_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "pipeline/core/event_fd.h"

namespace framelock {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

int OpenFds() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST(PacketSocket, BoundariesHoldAndFdsTravel) {
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  auto event = EventFd::Create();
  ASSERT_TRUE(event);
  const std::array<int, 1> fds{event->fd()};
  ASSERT_TRUE(pair->first.Send(Bytes("one")));
  ASSERT_TRUE(pair->first.Send(Bytes("two!"), fds));
  auto one = pair->second.Receive();
  ASSERT_TRUE(one && one->has_value());
  EXPECT_EQ((*one)->bytes.size(), 3u);
  EXPECT_TRUE((*one)->fds.empty());
  auto two = pair->second.Receive();
  ASSERT_TRUE(two && two->has_value());
  EXPECT_EQ((*two)->bytes.size(), 4u);
  ASSERT_EQ((*two)->fds.size(), 1u);
  const std::uint64_t n = 5;
  ASSERT_EQ(::write((*two)->fds[0].get(), &n, sizeof n), static_cast<ssize_t>(sizeof n));
  EXPECT_TRUE(event->Drain());
}

TEST(PacketSocket, NothingThereIsNotAnError) {
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  auto none = pair->first.Receive();
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(PacketSocket, ADeadPeerReadsAsClosedBothWays) {
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  { PacketSocket gone = std::move(pair->second); }
  auto received = pair->first.Receive();
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, ErrorCode::kClosed);
  auto sent = pair->first.Send(Bytes("x"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kClosed);
}

TEST(PacketSocket, FullIsUnavailableNotAnError) {
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  const std::vector<std::byte> big(PacketSocket::kMaxBytes);
  Status status;
  for (int i = 0; i < 10000 && status; ++i) status = pair->first.Send(big);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
}

TEST(PacketSocket, AnOversizedMessageIsRefusedAndItsFdsDoNotLeak) {
  auto pair = PacketSocket::CreatePair();
  ASSERT_TRUE(pair);
  const int before = OpenFds();
  std::vector<char> big(PacketSocket::kMaxBytes + 1);
  ASSERT_EQ(::send(pair->first.fd(), big.data(), big.size(), 0), static_cast<ssize_t>(big.size()));
  auto received = pair->second.Receive();
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, ErrorCode::kProtocol);
  EXPECT_EQ(OpenFds(), before);
}

TEST(PacketSocket, AdoptRefusesOtherSockets) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd other(ends[1]);
  EXPECT_FALSE(PacketSocket::Adopt(UniqueFd(ends[0])));
}

}  // namespace
}  // namespace framelock
