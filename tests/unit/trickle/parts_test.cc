// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "trickle/channel_url.h"
#include "trickle/headers.h"
#include "trickle/piece_queue.h"
#include "trickle/segment_buffer.h"

namespace framelock::trickle {
namespace {

using std::chrono::milliseconds;

TEST(ParseSeq, TakesPlainNumbersOnly) {
  EXPECT_EQ(ParseSeq("0"), 0u);
  EXPECT_EQ(ParseSeq("007"), 7u);
  EXPECT_EQ(ParseSeq("4611686018427387903"), kMaxSeq);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "4611686018427387904",
                           "99999999999999999999999"}) {
    EXPECT_EQ(ParseSeq(text), std::nullopt) << text;
  }
}

TEST(AnswerHead, ReadsTheHeaders) {
  const AnswerHead head = AnswerHead::From({.status = 200,
                                            .headers = {{"lp-trickle-seq", "4"},
                                                        {"LP-TRICKLE-LATEST", "5"},
                                                        {"Lp-Trickle-Closed", ""},
                                                        {"Content-Type", "Text/HTML;charset=x"}}});
  EXPECT_EQ(head.seq, 4u);
  EXPECT_EQ(head.latest, 5u);
  EXPECT_TRUE(head.closed);
  EXPECT_TRUE(head.html);
  const AnswerHead bare = AnswerHead::From(
      {.status = 470, .headers = {{"Lp-Trickle-Seq", "-4"}, {"Content-Type", "text/htmlx"}}});
  EXPECT_EQ(bare.seq, std::nullopt);
  EXPECT_FALSE(bare.closed);
  EXPECT_FALSE(bare.html);
}

TEST(ChannelUrl, NeedsAChannel) {
  EXPECT_EQ(SegmentUrl(*ParseChannelUrl("http://h/ai/ch/"), kWireCurrent).ToString(),
            "http://h:80/ai/ch/-2");
  EXPECT_EQ(ParseChannelUrl("http://h/").error().message, "url: the path names no channel");
  EXPECT_FALSE(ParseChannelUrl("ws://h/ch").ok());
}

std::string Pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 256) % 26);
  return text;
}

std::string ReadFrom(const SegmentBuffer& buffer, std::uint64_t offset, std::size_t room) {
  std::string text(room, ' ');
  text.resize(buffer.Read(offset, std::as_writable_bytes(std::span(text))));
  return text;
}

TEST(SegmentBuffer, KeepsBytesAcrossBlocks) {
  SegmentBuffer buffer;
  const std::string text = Pattern(100'000);
  for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size * 3 + 1) {
    buffer.Append(std::as_bytes(std::span(text).subspan(at, std::min(size, text.size() - at))));
  }
  EXPECT_EQ(buffer.end(), text.size());
  EXPECT_EQ(ReadFrom(buffer, 0, 200'000), text);
  EXPECT_EQ(ReadFrom(buffer, 16'383, 2), text.substr(16'383, 2));
  EXPECT_EQ(ReadFrom(buffer, 100'000, 10), "");
}

TEST(SegmentBuffer, GivesUpWholeBlocks) {
  SegmentBuffer buffer;
  const std::string text = Pattern(50'000);
  buffer.Append(std::as_bytes(std::span(text)));
  const std::size_t held = buffer.held_bytes();
  buffer.DiscardBefore(16'383);
  EXPECT_EQ(buffer.begin(), 0u);
  buffer.DiscardBefore(40'000);
  EXPECT_EQ(buffer.begin(), 32'768u);
  EXPECT_LT(buffer.held_bytes(), held);
  EXPECT_EQ(ReadFrom(buffer, 40'000, 20'000), text.substr(40'000));
  buffer.DiscardBefore(1'000'000);
  buffer.Append(std::as_bytes(std::span(text)));
  EXPECT_EQ(ReadFrom(buffer, 50'000, 50'000), text);
}

Piece MakePiece(std::uint64_t seq, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return Piece{.bytes = {bytes.begin(), bytes.end()}, .segment_seq = seq};
}

TEST(PieceQueue, JoinsWaitingPiecesOfOneSegment) {
  PieceQueue queue(1000);
  queue.Push(MakePiece(1, "a"));
  queue.Push(MakePiece(1, "b"));
  queue.Push(MakePiece(2, "c"));
  EXPECT_EQ(queue.bytes(), 3u);
  EXPECT_EQ(queue.Pop(milliseconds(0))->piece.bytes.size(), 2u);
  EXPECT_EQ(queue.segment_seq(), 1u);
  EXPECT_EQ(queue.Pop(milliseconds(0))->piece.segment_seq, 2u);
  EXPECT_EQ(queue.Pop(milliseconds(0)).error().code, ErrorCode::kTimeout);
}

TEST(PieceQueue, TellsOnceWhenThereIsRoomAgain) {
  PieceQueue queue(1000);
  for (int i = 0; i < 4; ++i) queue.Push(MakePiece(i, std::string(400, 'x')));
  EXPECT_FALSE(queue.HasRoom());
  EXPECT_FALSE(queue.Pop(milliseconds(0))->made_room);
  EXPECT_FALSE(queue.Pop(milliseconds(0))->made_room);
  EXPECT_FALSE(queue.Pop(milliseconds(0))->made_room);
  EXPECT_TRUE(queue.Pop(milliseconds(0))->made_room);
  queue.Push(MakePiece(9, "x"));
  EXPECT_FALSE(queue.Pop(milliseconds(0))->made_room);
}

TEST(PieceQueue, BoundsTinySegmentsToo) {
  PieceQueue queue(10'000);
  int pushed = 0;
  for (; queue.HasRoom(); ++pushed) queue.Push(MakePiece(pushed, "x"));
  EXPECT_LT(pushed, 100);
}

TEST(PieceQueue, DrainsBeforeItEnds) {
  PieceQueue queue(1000);
  queue.Push(MakePiece(1, "a"));
  queue.End({ErrorCode::kClosed, "over"});
  queue.End({ErrorCode::kUnavailable, "later"});
  queue.Interrupt();
  EXPECT_EQ(queue.Pop(milliseconds(0)).error().code, ErrorCode::kCancelled);
  queue.Resume();
  EXPECT_TRUE(queue.Pop(milliseconds(0)).ok());
  EXPECT_EQ(queue.Pop(std::chrono::hours(24)).error().message, "over");
}

}  // namespace
}  // namespace framelock::trickle
