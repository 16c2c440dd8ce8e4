// SPDX-License-Identifier: Apache-2.0
#include "plugins/stream_element.h"

namespace framelock::plugins {

void InstallStreamProperties(GObjectClass* klass, const StreamTexts& texts) {
  using Element = StreamElement<StreamModel<StreamClient>>;
  g_object_class_install_property(
      klass, Element::kLocation,
      g_param_spec_string("location", "Location", texts.location, nullptr, kOptionFlags));
  g_object_class_install_property(
      klass, Element::kStats,
      g_param_spec_boxed("stats", "Statistics", texts.stats, GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace framelock::plugins
