// SPDX-License-Identifier: Apache-2.0
// Pictures of any size reach the encoder in a size that H.264 has.
#include "pipeline/stream/media_output.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {
namespace {

class MediaOutputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  // Three pictures of each size in turn, through to the end.
  void Run(const std::vector<std::string>& sizes) {
    std::string description = "concat name=all";
    for (const std::string& size : sizes) {
      const auto at = size.find('x');
      description += " videotestsrc num-buffers=3 ! video/x-raw,format=RGB,framerate=30/1,width=" +
                     size.substr(0, at) + ",height=" + size.substr(at + 1) + " ! all.";
    }
    GError* failed = nullptr;
    const ElementPtr pictures(gst_parse_launch(description.c_str(), &failed));
    ASSERT_EQ(failed, nullptr) << failed->message;
    gst_object_ref_sink(pictures.get());
    const ElementPtr all(gst_bin_get_by_name(GST_BIN(pictures.get()), "all"));
    auto output = MediaOutput::Create({}, GST_BIN(pictures.get()), all.get());
    ASSERT_TRUE(output.ok()) << output.error().message;
    const ElementPtr parser(gst_bin_get_by_name(GST_BIN(pictures.get()), "parser"));
    const PadPtr parsed(gst_element_get_static_pad(parser.get(), "src"));
    gst_pad_add_probe(parsed.get(),
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                   GST_PAD_PROBE_TYPE_BUFFER),
                      &MediaOutputTest::OnParsed, this, nullptr);
    gst_element_set_state(pictures.get(), GST_STATE_PLAYING);
    const BusPtr bus(gst_element_get_bus(pictures.get()));
    const MessagePtr end(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_element_set_state(pictures.get(), GST_STATE_NULL);
    ASSERT_TRUE(end);
    EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  }

  static GstPadProbeReturn OnParsed(GstPad*, GstPadProbeInfo* info, gpointer user_data) {
    auto* self = static_cast<MediaOutputTest*>(user_data);
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      ++self->access_units_;
      return GST_PAD_PROBE_OK;
    }
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    gint width = 0;
    gint height = 0;
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width);
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "height", &height);
    const std::string size = std::to_string(width) + "x" + std::to_string(height);
    if (self->sizes_.empty() || self->sizes_.back() != size) self->sizes_.push_back(size);
    return GST_PAD_PROBE_OK;
  }

  int access_units_ = 0;
  std::vector<std::string> sizes_;
};

TEST_F(MediaOutputTest, AnOddSizeLosesItsLastRowOrColumn) {
  Run({"320x240", "65x49", "64x49"});
  EXPECT_EQ(sizes_, (std::vector<std::string>{"320x240", "64x48"}));
  EXPECT_EQ(access_units_, 9);
}

TEST_F(MediaOutputTest, ASizeTooSmallForTheEncoderIsScaledUp) {
  Run({"64x48", "1x1", "2x2", "64x48"});
  EXPECT_EQ(sizes_, (std::vector<std::string>{"64x48", "2x2", "64x48"}));
  EXPECT_EQ(access_units_, 12);
}

TEST_F(MediaOutputTest, OnePixelOneWayIsTwo) {
  Run({"1x48"});
  Run({"65x1"});
  EXPECT_EQ(sizes_, (std::vector<std::string>{"2x48", "64x2"}));
  EXPECT_EQ(access_units_, 6);
}

}  // namespace
}  // namespace framelock::stream
