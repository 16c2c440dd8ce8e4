// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace framelock::test {

/// An OpenAPI document, to hold an answer against.
class OpenApi {
 public:
  explicit OpenApi(nlohmann::json document) : document_(std::move(document)) {}

  /// Keys of `value` that the schema does not name, and keys of the schema that `value` lacks
  /// ("account.open"), at every depth. An object whose schema names no properties may hold any.
  [[nodiscard]] std::vector<std::string> Differences(const std::string& schema,
                                                     const nlohmann::json& value) const {
    std::vector<std::string> found;
    Compare(document_["components"]["schemas"].at(schema), value, "", found);
    return found;
  }

 private:
  using Properties = std::map<std::string, nlohmann::json>;

  // Of the schema, through references and allOf.
  [[nodiscard]] Properties PropertiesOf(const nlohmann::json& schema) const {
    Properties all;
    if (const auto reference = schema.find("$ref"); reference != schema.end()) {
      const auto path = reference->get<std::string>().substr(1);  // "#/components/schemas/X"
      return PropertiesOf(document_.at(nlohmann::json::json_pointer(path)));
    }
    if (const auto parts = schema.find("allOf"); parts != schema.end()) {
      for (const auto& part : *parts) all.merge(PropertiesOf(part));
    }
    if (const auto own = schema.find("properties"); own != schema.end()) {
      for (const auto& [name, property] : own->items()) all.emplace(name, property);
    }
    return all;
  }

  void Compare(const nlohmann::json& schema, const nlohmann::json& value, const std::string& path,
               std::vector<std::string>& found) const {
    if (!value.is_object()) return;
    const Properties known = PropertiesOf(schema);
    if (known.empty()) return;
    for (const auto& [name, inner] : value.items()) {
      const auto property = known.find(name);
      if (property == known.end()) {
        found.push_back(path + name + " is not in the schema");
      } else {
        Compare(property->second, inner, path + name + ".", found);
      }
    }
    for (const auto& [name, property] : known) {
      if (!value.contains(name)) found.push_back(path + name + " is not in the answer");
    }
  }

  nlohmann::json document_;
};

}  // namespace framelock::test
