// SPDX-License-Identifier: Apache-2.0
// A reader of what is published sees the end of each access unit in its last packet: by the length
// in its PES header, or above 64 KiB, where that has none, because the packet is not full.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/ts_packet.h"
#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/media_output.h"
#include "tests/integration/stream/fake_elements.h"

namespace framelock::stream {
namespace {

constexpr std::size_t kPesPrefix = 6;  // start code, stream id, length

struct Pes {
  std::size_t bytes = 0;      // that came
  std::size_t announced = 0;  // behind the prefix; zero: not told
  bool last_packet_full = false;
};

bool BeginsVideo(std::span<const std::uint8_t> payload) {
  return payload.size() > kPesPrefix && payload[0] == 0 && payload[1] == 0 && payload[2] == 1 &&
         (payload[3] & 0xF0) == 0xE0;
}

std::vector<Pes> VideoPes(const fake::Bytes& stream) {
  std::vector<Pes> units;
  std::optional<std::uint16_t> pid;
  TsPacketReader reader;
  reader.Push(std::as_bytes(std::span(stream)), [&](const TsPacket& packet) {
    const TsHeader header(packet);
    const auto payload = header.payload();
    if (header.starts_unit() && BeginsVideo(payload)) {
      pid = header.pid();
      units.push_back({.announced = std::size_t{payload[4]} << 8 | payload[5]});
    }
    if (header.pid() != pid || !header.has_payload()) return;
    units.back().bytes += payload.size();
    units.back().last_packet_full = payload.size() == kTsPacketBytes - 4;
  });
  return units;
}

// Noise, which cannot be compressed, of this many pictures.
fake::Bytes Publish(const H264EncoderOptions& encoder, int pictures) {
  fake::Play({}, fake::AtEnd::kEndOfStream);
  const std::string line =
      "videotestsrc pattern=snow num-buffers=" + std::to_string(pictures) +
      " ! video/x-raw,format=RGB,width=320,height=240,framerate=30/1 ! identity name=last";
  const ElementPtr pipeline(gst_parse_launch(line.c_str(), nullptr));
  gst_object_ref_sink(pipeline.get());
  const ElementPtr last(gst_bin_get_by_name(GST_BIN(pipeline.get()), "last"));
  const auto output = MediaOutput::Create({.url = "http://relay/out", .encoder = encoder},
                                          GST_BIN(pipeline.get()), last.get());
  EXPECT_TRUE(output.ok());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const BusPtr bus(gst_element_get_bus(pipeline.get()));
  const MessagePtr end(
      gst_bus_timed_pop_filtered(bus.get(), 60 * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  EXPECT_TRUE(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return fake::Published();
}

class PublishedTsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }
};

TEST_F(PublishedTsTest, TellsTheLengthOfEachAccessUnitBelow64KiB) {
  const std::vector<Pes> units = VideoPes(Publish({.bitrate_kbps = 2000}, 60));
  ASSERT_EQ(units.size(), 60u);
  for (const Pes& unit : units) {
    EXPECT_LT(unit.bytes, 65536u);
    EXPECT_EQ(unit.announced + kPesPrefix, unit.bytes);
  }
}

TEST_F(PublishedTsTest, EndsEachLargerOneInAPacketThatIsNotFull) {
  const std::vector<Pes> units = VideoPes(Publish({.bitrate_kbps = 60'000}, 500));
  ASSERT_EQ(units.size(), 500u);
  const auto large = [](const Pes& unit) { return unit.announced == 0; };
  EXPECT_GT(std::count_if(units.begin(), units.end(), large), 450);
  for (const Pes& unit : units) {
    if (!large(unit)) continue;
    EXPECT_FALSE(unit.last_packet_full) << unit.bytes;
  }
}

}  // namespace
}  // namespace framelock::stream
