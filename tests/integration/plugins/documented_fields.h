// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <map>
#include <regex>
#include <set>
#include <string>

namespace framelock::testing {

/// The fields of `structure` that `text` does not name behind their type, as "field (type)". In the
/// text fields stand as "type: field, field (what it is); type: field".
inline std::set<std::string> UndocumentedFields(const GstStructure* structure,
                                                const std::string& text) {
  static const std::map<GType, std::string> names = {
      {G_TYPE_UINT64, "uint64"}, {G_TYPE_UINT, "uint"},     {G_TYPE_INT, "int"},
      {G_TYPE_DOUBLE, "double"}, {G_TYPE_STRING, "string"}, {G_TYPE_BOOLEAN, "boolean"}};
  static const std::regex word("(uint64|uint|int|double|string|boolean):|[a-z][a-z0-9-]*");
  std::set<std::string> documented;
  std::string type;
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) {
    if ((*it)[1].matched) type = (*it)[1];
    documented.insert(it->str() + " (" + type + ")");
  }
  std::set<std::string> missing;
  for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char* name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const std::string field =
        std::string(name) + " (" + names.at(gst_structure_get_field_type(structure, name)) + ")";
    if (!documented.contains(field)) missing.insert(field);
  }
  return missing;
}

}  // namespace framelock::testing
