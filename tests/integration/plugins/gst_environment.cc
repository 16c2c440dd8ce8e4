// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>
#include <gtest/gtest.h>

namespace {

// Starts GStreamer with a registry file of the build's own and loads the plugin into this process:
// the registry's scanner would have to load sanitizers that it is not built with.
class GstEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    g_unsetenv("GST_PLUGIN_PATH");
    g_setenv("GST_REGISTRY", FRAMELOCK_TEST_REGISTRY, TRUE);
    g_setenv("no_proxy", "*", TRUE);
    gst_init(nullptr, nullptr);
    GError* error = nullptr;
    GstPlugin* plugin = gst_plugin_load_file(FRAMELOCK_PLUGIN_FILE, &error);
    ASSERT_NE(plugin, nullptr) << error->message;
    gst_object_unref(plugin);
  }
};

const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new GstEnvironment);

}  // namespace
