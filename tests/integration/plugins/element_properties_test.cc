// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/integration/plugins/documented_fields.h"
#include "tests/integration/plugins/test_pipeline.h"

namespace framelock::testing {
namespace {

class ElementProperties : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    element_.reset(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make(GetParam(), nullptr))));
    ASSERT_NE(element_, nullptr);
  }
  // The element's own ones, not those of its base classes.
  std::vector<GParamSpec*> OwnProperties() {
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element_.get()), &count);
    std::vector<GParamSpec*> own;
    for (guint i = 0; i < count; ++i) {
      if (specs[i]->owner_type == G_OBJECT_TYPE(element_.get())) own.push_back(specs[i]);
    }
    g_free(specs);
    return own;
  }

  ElementPtr element_;
};

// Another value than the default.
void SetOtherValue(GParamSpec* spec, GValue* value) {
  g_param_value_set_default(spec, value);
  if (G_VALUE_HOLDS_BOOLEAN(value)) {
    g_value_set_boolean(value, !g_value_get_boolean(value));
  } else if (G_VALUE_HOLDS_UINT(value)) {
    g_value_set_uint(value, 1234);
  } else if (G_VALUE_HOLDS_UINT64(value)) {
    g_value_set_uint64(value, 123456789);
  } else if (G_VALUE_HOLDS_INT64(value)) {
    g_value_set_int64(value, 12);
  } else if (G_VALUE_HOLDS_ENUM(value)) {
    g_value_set_enum(value, 1);
  } else if (G_VALUE_HOLDS_STRING(value)) {
    g_value_set_static_string(value, "ws://127.0.0.1:1/x");
  } else if (G_VALUE_HOLDS(value, GST_TYPE_CAPS)) {
    g_value_take_boxed(value, gst_caps_new_empty_simple("application/json"));
  } else {
    FAIL() << "no other value for " << spec->name;
  }
}

TEST_P(ElementProperties, AreDocumentedAndKeepWhatIsSet) {
  const auto properties = OwnProperties();
  EXPECT_GT(properties.size(), 8u);
  for (GParamSpec* spec : properties) {
    SCOPED_TRACE(spec->name);
    EXPECT_GT(std::string(g_param_spec_get_blurb(spec)).size(), 10u);
    EXPECT_NE(std::string(g_param_spec_get_nick(spec)), spec->name);
    if ((spec->flags & G_PARAM_WRITABLE) == 0) continue;
    EXPECT_NE(spec->flags & GST_PARAM_MUTABLE_READY, 0);
    GValue defaults = G_VALUE_INIT;
    GValue other = G_VALUE_INIT;
    GValue got = G_VALUE_INIT;
    g_value_init(&defaults, spec->value_type);
    g_value_init(&other, spec->value_type);
    g_value_init(&got, spec->value_type);
    g_param_value_set_default(spec, &defaults);
    g_object_get_property(G_OBJECT(element_.get()), spec->name, &got);
    const bool is_caps = G_VALUE_HOLDS(&got, GST_TYPE_CAPS) != FALSE;
    EXPECT_TRUE(is_caps || gst_value_compare(&defaults, &got) == GST_VALUE_EQUAL)
        << "a fresh element has the default";
    SetOtherValue(spec, &other);
    g_object_set_property(G_OBJECT(element_.get()), spec->name, &other);
    g_object_get_property(G_OBJECT(element_.get()), spec->name, &got);
    EXPECT_EQ(gst_value_compare(&other, &got), GST_VALUE_EQUAL);
    g_value_unset(&defaults);
    g_value_unset(&other);
    g_value_unset(&got);
  }
}

TEST_P(ElementProperties, StatisticsExistBeforeTheFirstRun) {
  EXPECT_EQ(StatOf(element_.get(), "bytes"), 0u);
  EXPECT_EQ(StatOf(element_.get(), "queued-bytes"), 0u);
  EXPECT_EQ(LastErrorOf(element_.get()), "");
}

TEST_P(ElementProperties, EveryStatisticIsDocumentedBehindItsType) {
  GstStructure* stats = nullptr;
  g_object_get(element_.get(), "stats", &stats, nullptr);
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element_.get()), "stats");
  EXPECT_EQ(UndocumentedFields(stats, g_param_spec_get_blurb(spec)), std::set<std::string>{});
  gst_structure_free(stats);
}

TEST_P(ElementProperties, MetadataIsComplete) {
  GstElementFactory* factory = gst_element_get_factory(element_.get());
  for (const char* key : {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS,
                          GST_ELEMENT_METADATA_DESCRIPTION, GST_ELEMENT_METADATA_AUTHOR}) {
    const gchar* text = gst_element_factory_get_metadata(factory, key);
    ASSERT_NE(text, nullptr) << key;
    EXPECT_NE(std::string(text), "") << key;
  }
  EXPECT_EQ(gst_element_factory_get_num_pad_templates(factory), 1u);
}

TEST_P(ElementProperties, WithoutALocationItDoesNotStart) {
  TestPipeline pipeline(std::string(GetParam()) + " name=x");
  EXPECT_EQ(pipeline.SetState(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const BusVerdict verdict = pipeline.Wait();
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_NE(verdict.error, "");
}

TEST_P(ElementProperties, ABadLocationDoesNotStart) {
  for (const char* bad : {"nonsense", "ftp://127.0.0.1/x", "http://", "ws://", "ws://h:99999/",
                          "http://h:99999/x", "http://127.0.0.1:1/a b", "ws://u:p@h/"}) {
    TestPipeline pipeline(std::string(GetParam()) + " name=x");
    g_object_set(pipeline.Element("x").get(), "location", bad, nullptr);
    EXPECT_EQ(pipeline.SetState(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << bad;
    EXPECT_EQ(pipeline.Wait().domain, GST_RESOURCE_ERROR) << bad;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ElementProperties,
                         ::testing::Values("tricklesrc", "tricklesink", "websocketsrc",
                                           "websocketsink"),
                         [](const auto& element) { return element.param; });

TEST(ElementUris, ChooseTheElementAndComeBack) {
  const struct {
    GstURIType type;
    const char* uri;
    const char* factory;
  } cases[] = {{GST_URI_SRC, "trickle://127.0.0.1:9/b/c", "tricklesrc"},
               {GST_URI_SRC, "trickles://127.0.0.1:9/b/c", "tricklesrc"},
               {GST_URI_SINK, "trickle://127.0.0.1:9/b/c", "tricklesink"},
               {GST_URI_SRC, "ws://127.0.0.1:9/ws/c", "websocketsrc"},
               {GST_URI_SINK, "wss://127.0.0.1:9/ws/c?publish=1", "websocketsink"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.uri);
    GError* error = nullptr;
    GstElement* made = gst_element_make_from_uri(c.type, c.uri, nullptr, &error);
    ASSERT_NE(made, nullptr) << error->message;
    const ElementPtr element(GST_ELEMENT(gst_object_ref_sink(made)));
    EXPECT_STREQ(gst_plugin_feature_get_name(gst_element_get_factory(element.get())), c.factory);
    gchar* uri = gst_uri_handler_get_uri(GST_URI_HANDLER(element.get()));
    EXPECT_STREQ(uri, c.uri);
    g_free(uri);
  }
}

TEST(ElementUris, AnHttpLocationReadsBackAsSetAndAsATrickleUri) {
  const ElementPtr element(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("tricklesrc", nullptr))));
  g_object_set(element.get(), "location", "https://h:9/c", nullptr);
  gchar* location = nullptr;
  g_object_get(element.get(), "location", &location, nullptr);
  EXPECT_STREQ(location, "https://h:9/c");
  g_free(location);
  gchar* uri = gst_uri_handler_get_uri(GST_URI_HANDLER(element.get()));
  EXPECT_STREQ(uri, "trickles://h:9/c");
  g_free(uri);
}

}  // namespace
}  // namespace framelock::testing
