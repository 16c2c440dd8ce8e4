// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib-object.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace framelock::plugins {

/// A property of a type of its own, of the name, nick and text given.
template <typename Options>
struct OwnProperty {
  GParamSpec* (*spec)(const char* name, const char* nick, const char* blurb);
  void (*set)(Options& options, const GValue* value);
  void (*get)(const Options& options, GValue* value);
};

/// A GObject property that is one field of an options struct; its default is the struct's own.
/// Durations are guint in milliseconds or guint64 in nanoseconds, sizes guint64 in bytes; an
/// optional number is gint64, with -1 for none.
template <typename Options>
struct OptionProperty {
  const char* name;
  const char* nick;
  const char* blurb;
  std::variant<std::string Options::*, bool Options::*, std::size_t Options::*,
               std::chrono::milliseconds Options::*, std::chrono::nanoseconds Options::*,
               std::optional<std::uint64_t> Options::*, OwnProperty<Options>>
      field;
  std::size_t minimum = 0;  // of sizes and durations
};

inline constexpr guint64 kMaxOptionBytes = guint64{1} << 32;
inline constexpr guint64 kMaxOptionNanoseconds = guint64{3600} * 1'000'000'000;
inline constexpr guint kMaxOptionMilliseconds = 24u * 60 * 60 * 1000;
inline constexpr auto kOptionFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | (1 << 10));

template <typename Options>
GParamSpec* OptionParamSpec(const OptionProperty<Options>& p) {
  const Options defaults;
  if (const auto* own = std::get_if<OwnProperty<Options>>(&p.field)) {
    return own->spec(p.name, p.nick, p.blurb);
  }
  if (const auto* text = std::get_if<std::string Options::*>(&p.field)) {
    const std::string& value = defaults.**text;
    return g_param_spec_string(p.name, p.nick, p.blurb, value.empty() ? nullptr : value.c_str(),
                               kOptionFlags);
  }
  if (const auto* flag = std::get_if<bool Options::*>(&p.field)) {
    return g_param_spec_boolean(p.name, p.nick, p.blurb, defaults.**flag, kOptionFlags);
  }
  if (const auto* size = std::get_if<std::size_t Options::*>(&p.field)) {
    return g_param_spec_uint64(p.name, p.nick, p.blurb, p.minimum, kMaxOptionBytes, defaults.**size,
                               kOptionFlags);
  }
  if (std::holds_alternative<std::optional<std::uint64_t> Options::*>(p.field)) {
    return g_param_spec_int64(p.name, p.nick, p.blurb, -1, G_MAXINT64, -1, kOptionFlags);
  }
  if (const auto* time = std::get_if<std::chrono::nanoseconds Options::*>(&p.field)) {
    return g_param_spec_uint64(p.name, p.nick, p.blurb, p.minimum, kMaxOptionNanoseconds,
                               static_cast<guint64>((defaults.**time).count()), kOptionFlags);
  }
  const auto duration = defaults.*std::get<std::chrono::milliseconds Options::*>(p.field);
  return g_param_spec_uint(p.name, p.nick, p.blurb, static_cast<guint>(p.minimum),
                           kMaxOptionMilliseconds, static_cast<guint>(duration.count()),
                           kOptionFlags);
}

/// Installs the table's properties with the ids first_id, first_id + 1, …
template <typename Options>
void InstallOptionProperties(GObjectClass* klass, std::span<const OptionProperty<Options>> table,
                             guint first_id) {
  for (const auto& property : table) {
    g_object_class_install_property(klass, first_id++, OptionParamSpec(property));
  }
}

template <typename Options>
void SetOption(Options& options, const OptionProperty<Options>& p, const GValue* value) {
  if (const auto* own = std::get_if<OwnProperty<Options>>(&p.field)) {
    own->set(options, value);
  } else if (const auto* text = std::get_if<std::string Options::*>(&p.field)) {
    const gchar* string = g_value_get_string(value);
    options.** text = string == nullptr ? "" : string;
  } else if (const auto* flag = std::get_if<bool Options::*>(&p.field)) {
    options.** flag = g_value_get_boolean(value) != FALSE;
  } else if (const auto* size = std::get_if<std::size_t Options::*>(&p.field)) {
    options.** size = g_value_get_uint64(value);
  } else if (const auto* number = std::get_if<std::optional<std::uint64_t> Options::*>(&p.field)) {
    const gint64 given = g_value_get_int64(value);
    (options.**number).reset();
    if (given >= 0) options.** number = static_cast<std::uint64_t>(given);
  } else if (const auto* time = std::get_if<std::chrono::nanoseconds Options::*>(&p.field)) {
    options.** time = std::chrono::nanoseconds(g_value_get_uint64(value));
  } else {
    options.*std::get<std::chrono::milliseconds Options::*>(p.field) =
        std::chrono::milliseconds(g_value_get_uint(value));
  }
}

template <typename Options>
void GetOption(const Options& options, const OptionProperty<Options>& p, GValue* value) {
  if (const auto* own = std::get_if<OwnProperty<Options>>(&p.field)) {
    own->get(options, value);
  } else if (const auto* text = std::get_if<std::string Options::*>(&p.field)) {
    const std::string& string = options.**text;
    g_value_set_string(value, string.empty() ? nullptr : string.c_str());
  } else if (const auto* flag = std::get_if<bool Options::*>(&p.field)) {
    g_value_set_boolean(value, options.**flag);
  } else if (const auto* size = std::get_if<std::size_t Options::*>(&p.field)) {
    g_value_set_uint64(value, options.**size);
  } else if (const auto* number = std::get_if<std::optional<std::uint64_t> Options::*>(&p.field)) {
    const auto& held = options.**number;
    g_value_set_int64(value, held ? static_cast<gint64>(*held) : -1);
  } else if (const auto* time = std::get_if<std::chrono::nanoseconds Options::*>(&p.field)) {
    g_value_set_uint64(value, static_cast<guint64>((options.**time).count()));
  } else {
    g_value_set_uint(
        value, static_cast<guint>(
                   (options.*std::get<std::chrono::milliseconds Options::*>(p.field)).count()));
  }
}

}  // namespace framelock::plugins
