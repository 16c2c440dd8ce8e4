// SPDX-License-Identifier: Apache-2.0
#include "plugins/worker_filter_policies.h"

#include <array>

namespace framelock::plugins {

namespace {

constexpr GEnumValue kFullPolicies[] = {
    {static_cast<gint>(FullPolicy::kBlock), "Upstream waits (for files)", "block"},
    {static_cast<gint>(FullPolicy::kDropOldest),
     "The oldest frame not yet submitted is skipped and counted", "skip-oldest"},
    {0, nullptr, nullptr}};

constexpr GEnumValue kOnMissings[] = {
    {static_cast<gint>(OnMissing::kPassthrough), "The source frame itself", "passthrough"},
    {static_cast<gint>(OnMissing::kRepeat), "The last good frame under the frame's own time",
     "repeat"},
    {static_cast<gint>(OnMissing::kGap), "Nothing", "gap"},
    {0, nullptr, nullptr}};

constexpr GEnumValue kCadences[] = {
    {static_cast<gint>(Cadence::kSteady),
     "Results of every N-th frame, the highest even rate that the worker sustains", "steady"},
    {static_cast<gint>(Cadence::kEvery),
     "Something for every frame: its result, or what on-missing says", "every"},
    {static_cast<gint>(Cadence::kAsReady), "Each result as soon as it is there", "as-ready"},
    {0, nullptr, nullptr}};

constexpr GEnumValue kReleases[] = {{static_cast<gint>(Release::kEven),
                                     "Each at its time: the worker's noise does not show", "even"},
                                    {static_cast<gint>(Release::kAtOnce),
                                     "When they are there; downstream evens them out", "at-once"},
                                    {0, nullptr, nullptr}};

struct PolicyProperty {
  const char* name;
  const char* nick;
  const char* blurb;
  const char* type;
  const GEnumValue* values;
  gint (*get)(const LineOptions& options);
  void (*set)(LineOptions& options, gint value);
};

constexpr std::array<PolicyProperty, kPolicies> kPolicyProperties{{
    {"full-policy", "Full policy", "What happens when a frame comes while another one waits",
     "FramelockFullPolicy", kFullPolicies,
     [](const LineOptions& options) { return static_cast<gint>(options.full_policy); },
     [](LineOptions& options, gint v) { options.full_policy = static_cast<FullPolicy>(v); }},
    {"on-missing", "On missing",
     "What is published for failed and lost frames, and while no worker answers",
     "FramelockOnMissing", kOnMissings,
     [](const LineOptions& options) { return static_cast<gint>(options.on_missing); },
     [](LineOptions& options, gint v) { options.on_missing = static_cast<OnMissing>(v); }},
    {"cadence", "Cadence",
     "What is published when the worker cannot keep up, and when; with full-policy=block "
     "everything is, as ready",
     "FramelockCadence", kCadences,
     [](const LineOptions& options) { return static_cast<gint>(options.cadence); },
     [](LineOptions& options, gint v) { options.cadence = static_cast<Cadence>(v); }},
    {"release", "Release", "When the results of cadence=steady leave", "FramelockRelease",
     kReleases, [](const LineOptions& options) { return static_cast<gint>(options.release); },
     [](LineOptions& options, gint v) { options.release = static_cast<Release>(v); }},
}};

GType TypeOf(const PolicyProperty& property) {
  const GType known = g_type_from_name(property.type);
  return known != 0 ? known : g_enum_register_static(property.type, property.values);
}

}  // namespace

void InstallPolicies(GObjectClass* klass, guint first, const LineOptions& defaults) {
  for (const PolicyProperty& property : kPolicyProperties) {
    const GType type = TypeOf(property);
    g_object_class_install_property(
        klass, first++,
        g_param_spec_enum(property.name, property.nick, property.blurb, type,
                          property.get(defaults),
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY)));
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  }
}

void SetPolicy(LineOptions& options, guint policy, const GValue* value) {
  kPolicyProperties[policy].set(options, g_value_get_enum(value));
}

void GetPolicy(const LineOptions& options, guint policy, GValue* value) {
  g_value_set_enum(value, kPolicyProperties[policy].get(options));
}

const char* CadenceText(Cadence cadence) {
  for (const GEnumValue* value = kCadences; value->value_nick != nullptr; ++value) {
    if (value->value == static_cast<gint>(cadence)) return value->value_nick;
  }
  return "";
}

}  // namespace framelock::plugins
