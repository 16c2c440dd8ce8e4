// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workers/graph/json.h"
#include "workers/graph/value.h"

namespace framelock::graph {

/// ComfyUI declares nodes in two ways that show in /object_info and in error texts.
enum class SchemaStyle : std::uint8_t {
  kClassic,  // INPUT_TYPES: an option list is itself the type
  kSchema,   // io.Schema: option lists are of type COMBO
};

enum class Presence : std::uint8_t { kRequired, kOptional };

struct InputSpec {
  std::string name;
  std::string type;  // "IMAGE", "INT", …; an option list: "COMBO"
  ValueKind kind = ValueKind::kAny;
  std::vector<std::string> choices;  // of an option list
  Json options = Json::object();     // default, min, max, step, …, as ComfyUI shows them
  Presence presence = Presence::kRequired;
};

struct OutputSpec {
  std::string type;
  std::string name;
};

/// Whether a node gives the same for the same inputs; if not, it runs on every frame, and so does
/// all that depends on it.
enum class Freshness : std::uint8_t { kCached, kEveryFrame };

/// Whether a node may change pixels, or only brings the frame in or gives out what it takes in.
/// Frames that meet no node of the first kind stay bytes.
enum class Pixels : std::uint8_t { kMade, kPassedOn };

/// What is known of a node class without running it: everything validation and /object_info need.
struct NodeSpec {
  std::string class_type;
  std::optional<std::string> display_name;
  std::string category;
  std::string python_module;
  SchemaStyle style = SchemaStyle::kClassic;
  std::vector<InputSpec> inputs;  // required ones first
  std::vector<OutputSpec> outputs;
  bool is_output = false;
  std::optional<bool> deprecated;  // classic nodes show the two only when they set them
  std::optional<bool> experimental;
  Freshness freshness = Freshness::kCached;
  Pixels pixels = Pixels::kMade;
};

struct IntRange {
  std::int64_t value;  // the default that editors offer; validation never fills it in
  std::int64_t min;
  std::uint64_t max;
  std::optional<std::int64_t> step = 1;
};
struct FloatRange {
  double value;
  double min;
  double max;
  std::optional<double> step = 0.01;
};

InputSpec ImageInput(std::string name);
InputSpec MaskInput(std::string name);
InputSpec IntInput(std::string name, const IntRange& range);
InputSpec FloatInput(std::string name, const FloatRange& range);
InputSpec BooleanInput(std::string name, std::optional<bool> value);
InputSpec StringInput(std::string name);
InputSpec ChoiceInput(std::string name, std::vector<std::string> choices);
InputSpec Optional(InputSpec input);

/// The pair [type, options] that ComfyUI shows for an input, in /object_info and in errors.
Json InputConfig(const InputSpec& input, SchemaStyle style);

}  // namespace framelock::graph
