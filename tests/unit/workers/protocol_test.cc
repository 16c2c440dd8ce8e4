// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "workers/protocol/message_codec.h"
#include "workers/protocol/shared_region.h"

namespace framelock::protocol {
namespace {

TEST(MessageCodec, AMessageSurvivesTheRoundTrip) {
  Submit submit{.sequence = 7, .generation = 3, .input_slot = 1, .output_slot = 2};
  auto decoded = Decode<Submit>(Encode(submit));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->sequence, 7u);
  EXPECT_EQ(decoded->output_slot, 2u);
  EXPECT_EQ(PeekType(Encode(submit)), MessageType::kSubmit);
}

TEST(MessageCodec, EachByteTooFewOrTooManyIsRefused) {
  const Completed completed;
  std::array<std::byte, sizeof(Completed) + 1> bytes{};
  std::memcpy(bytes.data(), &completed, sizeof completed);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    auto decoded = Decode<Completed>(std::span(bytes).first(size));
    EXPECT_EQ(decoded.ok(), size == sizeof(Completed)) << size;
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, ErrorCode::kProtocol);
    }
  }
}

TEST(MessageCodec, AnotherTypeOfTheSameSizeIsRefused) {
  EXPECT_FALSE(Decode<PromptApplied>(Encode(Attached{})));
  EXPECT_FALSE(PeekType({}));
}

Attach GoodAttach() {
  return {.generation = 1,
          .region_bytes = 4 * 8192,
          .input_slot_bytes = 8192,
          .output_slot_bytes = 8192,
          .input_slots = 2,
          .output_slots = 2,
          .width = 32,
          .height = 24,
          .stride = 96};
}

TEST(RegionLayout, InputSlotsComeFirst) {
  auto layout = RegionLayout::FromAttach(GoodAttach());
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->input_offset(0), 0u);
  EXPECT_EQ(layout->input_offset(1), 8192u);
  EXPECT_EQ(layout->output_offset(0), 16384u);
  EXPECT_EQ(layout->output_offset(1), 24576u);
}

TEST(RegionLayout, EveryFieldIsRangeChecked) {
  struct Row {
    const char* field;
    std::function<void(Attach&)> spoil;
  };
  const std::array<Row, 21> rows{{
      {"format", [](Attach& a) { a.format = static_cast<PixelFormat>(0); }},
      {"format", [](Attach& a) { a.format = static_cast<PixelFormat>(3); }},
      {"width", [](Attach& a) { a.width = 0; }},
      {"width", [](Attach& a) { a.width = kMaxDimension + 1; }},
      {"width", [](Attach& a) { a.width = 0xFFFFFFFF; }},
      {"height", [](Attach& a) { a.height = 0; }},
      {"height", [](Attach& a) { a.height = 0x80000000; }},
      {"stride", [](Attach& a) { a.stride = 95; }},
      {"stride", [](Attach& a) { a.stride = 0; }},
      {"input_slot_bytes", [](Attach& a) { a.stride = 0xFFFFFFFF; }},
      {"input_slot_bytes", [](Attach& a) { a.height = 86; }},
      {"input_slot_bytes", [](Attach& a) { a.input_slot_bytes = 8191; }},
      {"input_slot_bytes", [](Attach& a) { a.input_slot_bytes = 0; }},
      {"input_slot_bytes", [](Attach& a) { a.input_slot_bytes = 1ULL << 63; }},
      {"output_slot_bytes", [](Attach& a) { a.output_slot_bytes = 0; }},
      {"output_slot_bytes", [](Attach& a) { a.output_slot_bytes = ~0ULL << 12; }},
      {"input_slots", [](Attach& a) { a.input_slots = 0; }},
      {"input_slots", [](Attach& a) { a.input_slots = kMaxSlots + 1; }},
      {"output_slots", [](Attach& a) { a.output_slots = 0xFFFFFFFF; }},
      {"region_bytes", [](Attach& a) { a.region_bytes -= 1; }},
      {"region_bytes",
       [](Attach& a) {
         a.output_slot_bytes = kMaxRegionBytes;
         a.region_bytes = 2 * 8192 + 2 * kMaxRegionBytes;
       }},
  }};
  ASSERT_TRUE(RegionLayout::FromAttach(GoodAttach()));
  for (const auto& row : rows) {
    Attach attach = GoodAttach();
    row.spoil(attach);
    auto layout = RegionLayout::FromAttach(attach);
    ASSERT_FALSE(layout) << row.field;
    EXPECT_EQ(layout.error().code, ErrorCode::kProtocol);
    EXPECT_NE(layout.error().message.find(row.field), std::string::npos)
        << layout.error().message << " does not name " << row.field;
  }
}

TEST(SharedMemory, BothEndsSeeTheSameBytes) {
  auto near = SharedMemory::Create("test", 8192);
  ASSERT_TRUE(near);
  auto far = SharedMemory::Map(UniqueFd(::dup(near->fd())), 8192);
  ASSERT_TRUE(far) << far.error().message;
  EXPECT_EQ(far->bytes()[5000], std::byte{0});
  near->bytes()[5000] = std::byte{42};
  EXPECT_EQ(far->bytes()[5000], std::byte{42});
}

TEST(SharedMemory, CannotBeResizedByThePeer) {
  auto memory = SharedMemory::Create("test", 8192);
  ASSERT_TRUE(memory);
  EXPECT_NE(::ftruncate(memory->fd(), 4096), 0);
  EXPECT_NE(::ftruncate(memory->fd(), 16384), 0);
  EXPECT_NE(::fcntl(memory->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(SharedMemory, AForeignDescriptorIsRefused) {
  auto memory = SharedMemory::Create("test", 8192);
  ASSERT_TRUE(memory);
  EXPECT_FALSE(SharedMemory::Map(UniqueFd(::dup(memory->fd())), 4096));
  EXPECT_FALSE(SharedMemory::Map(UniqueFd(::dup(memory->fd())), 12288));
  EXPECT_FALSE(SharedMemory::Map(UniqueFd(::dup(memory->fd())), 0));
  EXPECT_FALSE(SharedMemory::Map(UniqueFd(), 8192));
  EXPECT_FALSE(SharedMemory::Map(UniqueFd(::open("/dev/zero", O_RDWR | O_CLOEXEC)), 8192));
  UniqueFd unsealed(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(unsealed.get(), 8192), 0);
  EXPECT_FALSE(SharedMemory::Map(std::move(unsealed), 8192));
}

TEST(TextFd, ATextOfAnySizeTravels) {
  for (const std::size_t size : {0UL, 1UL, 100'000UL}) {
    const std::string text(size, 'x');
    auto fd = MakeTextFd(text);
    ASSERT_TRUE(fd);
    auto read = ReadTextFd(std::move(*fd), size);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, text);
  }
  EXPECT_FALSE(MakeTextFd(std::string(kMaxTextBytes + 1, 'x')));
}

TEST(TextFd, AWrongSizeOrAnUnsealedTextIsRefused) {
  auto fd = MakeTextFd("four");
  ASSERT_TRUE(fd);
  EXPECT_FALSE(ReadTextFd(UniqueFd(::dup(fd->get())), 3));
  EXPECT_FALSE(ReadTextFd(UniqueFd(::dup(fd->get())), 5));
  EXPECT_FALSE(ReadTextFd(UniqueFd(::dup(fd->get())), kMaxTextBytes + 1));
  EXPECT_FALSE(ReadTextFd(UniqueFd(), 4));
  // A shared region can still be written, so it is no text.
  auto region = SharedMemory::Create("test", 4096);
  ASSERT_TRUE(region);
  EXPECT_FALSE(ReadTextFd(UniqueFd(::dup(region->fd())), 4096));
}

}  // namespace
}  // namespace framelock::protocol
