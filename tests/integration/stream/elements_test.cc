// SPDX-License-Identifier: Apache-2.0
// An element that is not installed is told with where it comes from.
#include "pipeline/stream/elements.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <string>

namespace framelock::stream {
namespace {

// Takes the element out of this process's registry.
void Forget(const char* factory) {
  GstRegistry* registry = gst_registry_get();
  GstPluginFeature* feature =
      gst_registry_find_feature(registry, factory, GST_TYPE_ELEMENT_FACTORY);
  if (feature == nullptr) return;
  gst_registry_remove_feature(registry, feature);
  gst_object_unref(feature);
}

class ElementsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(ElementsTest, AMissingElementIsToldWithItsPackage) {
  const struct {
    const char* element;
    const char* where;
  } cases[] = {{"videocrop", "install Debian's package gstreamer1.0-plugins-good"},
               {"tsdemux", "install Debian's package gstreamer1.0-plugins-bad"},
               {"tricklesrc", "libgstframelock.so"}};
  for (const auto& c : cases) {
    Forget(c.element);
    const Result<GstElement*> made = MakeElement(c.element);
    ASSERT_FALSE(made.ok()) << c.element;
    EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
    EXPECT_NE(made.error().message.find(std::string("no element ") + c.element), std::string::npos);
    EXPECT_NE(made.error().message.find(c.where), std::string::npos) << made.error().message;
  }
}

TEST_F(ElementsTest, OneThatIsMissingInAChainLikewise) {
  Forget("x264enc");
  const Result<GstElement*> chain = MakeChain("identity ! x264enc tune=zerolatency ! identity");
  ASSERT_FALSE(chain.ok());
  EXPECT_EQ(chain.error().message,
            "GStreamer has no element x264enc: install Debian's package gstreamer1.0-plugins-ugly");
}

TEST_F(ElementsTest, AChainThatIsWrongTellsWhy) {
  const Result<GstElement*> chain = MakeChain("identity no-such-property=1 ! fakesink");
  ASSERT_FALSE(chain.ok());
  EXPECT_NE(chain.error().message.find("no-such-property"), std::string::npos)
      << chain.error().message;
}

}  // namespace
}  // namespace framelock::stream
