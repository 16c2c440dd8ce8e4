// SPDX-License-Identifier: Apache-2.0
// What every encoder owes a live stream, and which codecs run where there is hardware.
#include "pipeline/stream/h264_encoder.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/h264_decoder.h"
#include "pipeline/stream/media_output.h"

namespace framelock::stream {
namespace {

constexpr int kFps = 30;

// NAL unit types in a byte stream, in order.
std::vector<int> Units(GstBuffer* access_unit) {
  GstMapInfo map;
  gst_buffer_map(access_unit, &map, GST_MAP_READ);
  std::vector<int> types;
  for (gsize i = 0; i + 3 < map.size; ++i) {
    if (map.data[i] == 0 && map.data[i + 1] == 0 && map.data[i + 2] == 1) {
      types.push_back(map.data[i + 3] & 0x1F);
    }
  }
  gst_buffer_unmap(access_unit, &map);
  return types;
}

struct AccessUnit {
  GstClockTime pts;
  bool key;
  std::vector<int> units;
  int waiting;  // pictures that had gone in and had not come out when this one did
};

// Pictures through a MediaOutput, and what its encoder makes of them.
class H264EncoderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  void Run(const H264EncoderOptions& options, int pictures) {
    const std::string line =
        "videotestsrc name=from num-buffers=" + std::to_string(pictures) +
        " ! video/x-raw,format=RGB,width=320,height=240,framerate=" + std::to_string(kFps) +
        "/1 ! identity name=last";
    GError* failed = nullptr;
    const ElementPtr pipeline(gst_parse_launch(line.c_str(), &failed));
    ASSERT_EQ(failed, nullptr) << failed->message;
    gst_object_ref_sink(pipeline.get());
    GstBin* bin = GST_BIN(pipeline.get());
    const ElementPtr last(gst_bin_get_by_name(bin, "last"));
    auto output = MediaOutput::Create({.url = std::nullopt, .encoder = options}, bin, last.get());
    ASSERT_TRUE(output.ok()) << output.error().message;
    encoder_ = (*output)->Stats()["encoder"].get<std::string>();
    Watch(bin, "encoder", "sink", &H264EncoderTest::OnPicture);
    Watch(bin, "parser", "src", &H264EncoderTest::OnAccessUnit);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const BusPtr bus(gst_element_get_bus(pipeline.get()));
    const MessagePtr end(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    ASSERT_TRUE(end);
    EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  }

  std::string encoder_;
  int pictures_ = 0;
  std::vector<AccessUnit> units_;

 private:
  void Watch(GstBin* bin, const char* element, const char* pad, GstPadProbeCallback callback) {
    const ElementPtr owner(gst_bin_get_by_name(bin, element));
    const PadPtr watched(gst_element_get_static_pad(owner.get(), pad));
    gst_pad_add_probe(watched.get(), GST_PAD_PROBE_TYPE_BUFFER, callback, this, nullptr);
  }
  static GstPadProbeReturn OnPicture(GstPad*, GstPadProbeInfo*, gpointer self) {
    ++static_cast<H264EncoderTest*>(self)->pictures_;
    return GST_PAD_PROBE_OK;
  }
  static GstPadProbeReturn OnAccessUnit(GstPad*, GstPadProbeInfo* info, gpointer user_data) {
    auto* self = static_cast<H264EncoderTest*>(user_data);
    GstBuffer* unit = GST_PAD_PROBE_INFO_BUFFER(info);
    const auto before = static_cast<int>(self->units_.size());
    self->units_.push_back({.pts = GST_BUFFER_PTS(unit),
                            .key = !GST_BUFFER_FLAG_IS_SET(unit, GST_BUFFER_FLAG_DELTA_UNIT),
                            .units = Units(unit),
                            .waiting = self->pictures_ - before});
    return GST_PAD_PROBE_OK;
  }
};

class EachEncoder : public H264EncoderTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Software, EachEncoder, testing::Values("x264", "openh264"));

TEST_P(EachEncoder, GivesAnAccessUnitOutBeforeTheNextPictureGoesIn) {
  Run({.name = GetParam()}, 90);
  EXPECT_EQ(encoder_, std::string(GetParam()) + "enc");
  ASSERT_EQ(units_.size(), 90u);
  for (const AccessUnit& unit : units_) EXPECT_EQ(unit.waiting, 1);
  for (std::size_t i = 1; i < units_.size(); ++i) EXPECT_GT(units_[i].pts, units_[i - 1].pts);
}

TEST_P(EachEncoder, MakesKeyframesWhenTheyAreDueAndOnlyThen) {
  Run({.name = GetParam(), .gop = std::chrono::seconds(1)}, 100);
  std::vector<std::size_t> keys;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].key) keys.push_back(i);
  }
  EXPECT_EQ(keys, (std::vector<std::size_t>{0, 30, 60, 90}));
}

TEST_P(EachEncoder, BeginsEachUnitWithADelimiterAndRepeatsTheParameterSets) {
  Run({.name = GetParam(), .gop = std::chrono::seconds(1)}, 65);
  ASSERT_EQ(units_.size(), 65u);
  for (const AccessUnit& unit : units_) {
    std::map<int, int> count;
    for (const int type : unit.units) ++count[type];
    EXPECT_EQ(unit.units.front(), 9);
    EXPECT_EQ(count[7], unit.key ? 1 : 0);
    EXPECT_EQ(count[8], unit.key ? 1 : 0);
    EXPECT_EQ(count[unit.key ? 5 : 1], 1) << "one slice";
  }
}

// Stand-ins for hardware: x264enc under another name, with a device that opens or does not.
GstStateChangeReturn NoDevice(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) return GST_STATE_CHANGE_FAILURE;
  auto* own = G_OBJECT_GET_CLASS(element);
  auto* parent = static_cast<GstElementClass*>(g_type_class_peek_parent(own));
  return parent->change_state(element, transition);
}

void NoDeviceInit(gpointer klass, gpointer /*data*/) {
  static_cast<GstElementClass*>(klass)->change_state = &NoDevice;
}

class H264HardwareTest : public H264EncoderTest {
 protected:
  void Pretend(const char* factory, GClassInitFunc init) {
    const ElementPtr original(gst_element_factory_make("x264enc", nullptr));
    ASSERT_TRUE(original);
    GTypeQuery query;
    g_type_query(G_OBJECT_TYPE(original.get()), &query);
    static int made = 0;  // a type remembers its first factory, which goes with its test
    const std::string name = "Pretended" + std::to_string(++made);
    const GType type = g_type_register_static_simple(
        query.type, name.c_str(), static_cast<guint>(query.class_size), init,
        static_cast<guint>(query.instance_size), nullptr, static_cast<GTypeFlags>(0));
    ASSERT_NE(gst_element_register(nullptr, factory, GST_RANK_NONE, type), 0);
    pretended_.emplace_back(factory);
  }
  void TearDown() override {
    for (const std::string& name : pretended_) {
      GstRegistry* registry = gst_registry_get();
      GstPluginFeature* feature =
          gst_registry_find_feature(registry, name.c_str(), GST_TYPE_ELEMENT_FACTORY);
      gst_registry_remove_feature(registry, feature);
      gst_object_unref(feature);
    }
  }

 private:
  std::vector<std::string> pretended_;
};

TEST_F(H264HardwareTest, RunsWhereItIsAllowed) {
  Pretend("vah264enc", nullptr);
  Run({.hardware = Hardware::kAllowed}, 5);
  EXPECT_EQ(encoder_, "vah264enc");
  EXPECT_EQ(units_.size(), 5u);
}

TEST_F(H264HardwareTest, IsLeftAloneWhereItIsNot) {
  Pretend("vah264enc", nullptr);
  Run({.hardware = Hardware::kNever}, 5);
  EXPECT_EQ(encoder_, "x264enc");
}

TEST_F(H264HardwareTest, GivesWayToTheNextWhenItsDeviceDoesNotOpen) {
  Pretend("nvh264enc", &NoDeviceInit);
  Pretend("vah264enc", nullptr);
  Run({.hardware = Hardware::kAllowed}, 5);
  EXPECT_EQ(encoder_, "vah264enc");
}

TEST_F(H264HardwareTest, GivesWayToSoftwareWhenNoDeviceOpens) {
  Pretend("nvh264enc", &NoDeviceInit);
  Pretend("v4l2h264enc", &NoDeviceInit);
  Run({.name = "openh264", .hardware = Hardware::kAllowed}, 5);
  EXPECT_EQ(encoder_, "openh264enc");
  EXPECT_EQ(units_.size(), 5u);
}

std::string DecoderWith(Hardware hardware) {
  const Result<GstElement*> made = MakeH264Decoder(hardware);
  if (!made) return made.error().message;
  const ElementPtr decoder(GST_ELEMENT(gst_object_ref_sink(*made)));
  return GST_OBJECT_NAME(gst_element_get_factory(decoder.get()));
}

TEST_F(H264HardwareTest, DecodesWhereItIsAllowedAndStarts) {
  Pretend("vah264dec", nullptr);
  EXPECT_EQ(DecoderWith(Hardware::kAllowed), "vah264dec");
  EXPECT_EQ(DecoderWith(Hardware::kNever), "avdec_h264");
}

TEST_F(H264HardwareTest, DecodesInSoftwareWhenNoDeviceOpens) {
  Pretend("nvh264dec", &NoDeviceInit);
  Pretend("v4l2h264dec", &NoDeviceInit);
  EXPECT_EQ(DecoderWith(Hardware::kAllowed), "avdec_h264");
}

}  // namespace
}  // namespace framelock::stream
