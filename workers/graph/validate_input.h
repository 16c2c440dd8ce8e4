// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "workers/graph/json.h"
#include "workers/graph/node_input.h"
#include "workers/graph/node_registry.h"
#include "workers/graph/prompt.h"

namespace framelock::graph {

// The part of validation that looks at one input of one node.

/// Of an option list in an error.
inline constexpr std::size_t kMostOptionsShown = 20;

/// An exception of the original validator: where it would raise, it reports this.
struct PythonException {
  std::string type;
  std::string text;
};

/// Where a link leads.
struct LinkTarget {
  std::size_t node = 0;  // position in the prompt
  std::size_t slot = 0;
};

/// {type, message, details, extra_info}.
Json MakeError(const char* type, const std::string& message, const std::string& details,
               Json extra_info);

/// What a class's own check of an input says.
Json CustomError(const std::string& input, const std::string& reason);

/// Follows a list of two: the output that it names, or the exception that looking it up raises.
/// Every node's class must be known.
std::optional<PythonException> ResolveLink(const NodeRegistry& registry, const Prompt& prompt,
                                           const Json& link, LinkTarget& target);

/// Whether an output type may feed an input: equal, a common member of comma lists, or a wildcard.
bool TypesMatch(std::string_view output, const InputSpec& input, SchemaStyle style);

/// Converts a literal in place and checks bounds and options: an error, or nullopt.
std::optional<Json> CheckLiteral(const NodeInput& input, SchemaStyle style, Json& value);

}  // namespace framelock::graph
