// SPDX-License-Identifier: Apache-2.0
#include "api/node_catalog.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/json_text.h"

namespace framelock::api {

namespace {

// Of values there may be as many as fit into the text, whose length is bounded.
constexpr JsonLimits kLimits{.max_depth = 64,
                             .max_values = std::numeric_limits<std::size_t>::max()};

// The order of classes and inputs is the worker's own, and means something to tools.
Result<nlohmann::ordered_json> ParseListing(const std::string& text) {
  if (Status shape = CheckJsonShape(text, kLimits); !shape) return shape.error();
  auto document = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!document.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "what the worker command printed is no JSON object"};
  }
  for (const auto& [name, entry] : document.items()) {
    if (entry.is_object()) continue;
    return Error{ErrorCode::kInvalidArgument,
                 "what the worker command printed is no list of node classes"};
  }
  return document;
}

std::string Text(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void NodeCatalog::Take(Result<std::string> listing) {
  if (!listing) {
    error_ = listing.error().message;
    return;
  }
  const auto document = ParseListing(*listing);
  if (!document) {
    error_ = document.error().message;
    return;
  }
  for (const auto& [name, entry] : document->items()) classes_.emplace(name, Text(entry));
  all_ = Text(*document);
}

std::string NodeCatalog::OneOf(const std::string& name) const {
  const auto at = classes_.find(name);
  if (at == classes_.end()) return "{}";
  return "{" + Text(nlohmann::ordered_json(name)) + ":" + at->second + "}";
}

}  // namespace framelock::api
