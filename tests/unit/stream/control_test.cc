// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/core/sealed_text.h"

namespace framelock::stream {
namespace {

using nlohmann::json;

struct Line {
  ControlChannel daemon;
  ControlChannel stream;

  static Line Open() {
    auto pair = PacketSocket::CreatePair();
    return {ControlChannel(std::move(pair->first)), ControlChannel(std::move(pair->second))};
  }
};

TEST(ControlChannel, CarriesAnObjectAndADescriptor) {
  const Line line = Line::Open();
  const auto prompt = SealText(R"({"1":{}})");
  ASSERT_TRUE(prompt.ok());
  ASSERT_TRUE(line.daemon.Send({{"type", "set_prompt"}, {"request", 3}}, prompt->get()).ok());

  auto message = line.stream.Receive();
  ASSERT_TRUE(message.ok());
  ASSERT_TRUE(message->has_value());
  EXPECT_EQ((*message)->body, json({{"type", "set_prompt"}, {"request", 3}}));
  const auto text = ReadText((*message)->fd.get(), 1024);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, R"({"1":{}})");
}

TEST(ControlChannel, SaysWhenThereIsNothing) {
  const Line line = Line::Open();
  const auto message = line.stream.Receive();
  ASSERT_TRUE(message.ok());
  EXPECT_FALSE(message->has_value());
}

TEST(ControlChannel, CarriesAnObjectLongerThanAPacket) {
  const Line line = Line::Open();
  const std::string detail(300'000, 'x');
  const json sent = {{"type", "prompt_result"}, {"errors", {{"1", detail}}}};
  ASSERT_TRUE(line.stream.Send(sent).ok());
  const auto message = line.daemon.Receive();
  ASSERT_TRUE(message.ok());
  ASSERT_TRUE(message->has_value());
  EXPECT_EQ((*message)->body, sent);
  EXPECT_FALSE((*message)->fd.valid());
}

// Its reader would wait for as long as the sender likes.
TEST(ControlChannel, RefusesAnEnclosedPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  constexpr std::string_view kStarted = R"({"type":"started"})";
  ASSERT_EQ(::write(writer.get(), kStarted.data(), kStarted.size()),
            static_cast<ssize_t>(kStarted.size()));
  auto pair = PacketSocket::CreatePair();
  constexpr std::string_view kEnclosed = R"({"type":"enclosed"})";
  const int enclosure = reader.get();
  ASSERT_TRUE(pair->first.Send(std::as_bytes(std::span(kEnclosed)), std::span(&enclosure, 1)).ok());
  const auto message = ControlChannel(std::move(pair->second)).Receive();
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().code, ErrorCode::kProtocol);
  EXPECT_NE(message.error().message.find("not sealed"), std::string::npos)
      << message.error().message;
}

TEST(ControlChannel, RefusesToSendBeyondTheBound) {
  const Line line = Line::Open();
  const Status sent =
      line.stream.Send({{"type", "x"}, {"t", std::string(ControlChannel::kMaxMessageBytes, 'x')}});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kResourceLimit);
}

TEST(ControlChannel, ReplacesBytesThatAreNotUtf8) {
  const Line line = Line::Open();
  ASSERT_TRUE(line.stream.Send({{"type", "error"}, {"message", "\xff"}}).ok());
  const auto message = line.daemon.Receive();
  ASSERT_TRUE(message.ok());
  EXPECT_EQ((*message)->body["message"], "\xEF\xBF\xBD");
}

TEST(ControlChannel, TellsAFullSocketFromAClosedOne) {
  auto pair = PacketSocket::CreatePair();
  const ControlChannel sender(std::move(pair->first));
  Status sent;
  for (int i = 0; i < 100'000 && sent.ok(); ++i) sent = sender.Send({{"type", "status"}});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
  pair->second = PacketSocket();
  sent = sender.Send({{"type", "status"}});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kClosed);
}

class BadControlMessage : public testing::TestWithParam<const char*> {};

TEST_P(BadControlMessage, IsAProtocolError) {
  auto pair = PacketSocket::CreatePair();
  const std::string text = GetParam();
  ASSERT_TRUE(pair->first.Send(std::as_bytes(std::span(text))).ok());
  const auto message = ControlChannel(std::move(pair->second)).Receive();
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().code, ErrorCode::kProtocol);
}

INSTANTIATE_TEST_SUITE_P(Table, BadControlMessage,
                         testing::Values("{", "[]", "7", "null", "{}", R"({"type":7})",
                                         R"({"type":"enclosed"})"));

TEST(SealedText, IsBounded) {
  const auto fd = SealText("12345");
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(*ReadText(fd->get(), 5), "12345");
  const auto text = ReadText(fd->get(), 4);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace framelock::stream
