// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

inline constexpr const char* kMatchType = "COMFY_MATCHTYPE_V3";

enum class Presence : std::uint8_t { kRequired, kOptional };

/// A lazy input is computed only if the node asks for it: see Node::Needs.
enum class Laziness : std::uint8_t { kEager, kLazy };

/// How many inputs of one kind a prompt may give, as NAME.PREFIX0, NAME.PREFIX1, …; gaps are fine.
struct GrowRange {
  std::string prefix;
  std::size_t min = 1;  // the first ones are required
  std::size_t max = 1;
};

struct ComboBranch;

/// What a node class declares. Most are one input; those with `members` or `branches` stand for
/// several: NodeInput is what a prompt names and a node counts.
struct InputSpec {
  std::string name;
  std::string type;  // "IMAGE", "INT", …; an option list: "COMBO"
  ValueKind kind = ValueKind::kAny;
  std::vector<std::string> choices;  // of an option list
  Json options = Json::object();     // default, min, max, step, …, as ComfyUI shows them
  bool shows_no_options = false;     // a classic node that lists options although there are none
  Presence presence = Presence::kRequired;
  Laziness laziness = Laziness::kEager;
  std::optional<GrowRange> grows;     // of an autogrow input: one of `members` each
  std::vector<InputSpec> members;     // of an autogrow input: the one that is repeated
  std::vector<ComboBranch> branches;  // of a dynamic combo

  // An option list that is looked up each time it is shown; then `refuse` judges a text in place of
  // the options: the reason, or nullopt. Both are called by whichever thread validates.
  std::function<std::vector<std::string>()> find_choices;
  std::function<std::optional<std::string>(const std::string&)> refuse;
};

/// One option of a dynamic combo and the inputs that it brings along, named COMBO.INPUT.
struct ComboBranch {
  std::string key;
  std::vector<InputSpec> inputs;
};

struct OutputSpec {
  std::string type;
  std::string name;
  std::string template_id;  // of a match type: the inputs whose type it has
};

/// What ComfyUI's server passes to a node by itself. Shown, and nothing else.
struct HiddenInput {
  std::string name;
  std::string type;
};

/// Whether a node gives the same for the same inputs. If not, it runs on every frame, or when
/// Node::HasChanged says so, and so does all that depends on it.
enum class Freshness : std::uint8_t { kCached, kWhenChanged, kEveryFrame };

/// Whether a node may change pixels, or only brings the frame in or gives out what it takes in.
/// Frames that meet no node of the first kind stay bytes.
enum class Pixels : std::uint8_t { kMade, kPassedOn };

/// What the stream brings to a source node, or takes from an output node.
enum class Medium : std::uint8_t { kNone, kPicture, kAudio, kText };

/// What is known of a node class without running it: everything validation and /object_info need.
struct NodeSpec {
  std::string class_type;
  std::optional<std::string> display_name;
  std::string category;
  std::optional<std::string> python_module;
  SchemaStyle style = SchemaStyle::kClassic;
  std::vector<InputSpec> inputs;  // required ones first
  std::vector<HiddenInput> hidden;
  std::vector<OutputSpec> outputs;
  bool shows_no_required = false;  // lists its required inputs although there are none
  bool is_output = false;
  Medium source = Medium::kNone;   // kPicture: calls TakeFrame, once per run; kAudio: TakeAudio
  Medium sink = Medium::kPicture;  // of an output node
  std::optional<bool> deprecated;  // classic nodes show the two only when they set them
  std::optional<bool> experimental;
  std::optional<std::string> unavailable;  // why no prompt can use the class in this worker
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
InputSpec AudioInput(std::string name);
InputSpec IntInput(std::string name, const IntRange& range);
InputSpec FloatInput(std::string name, const FloatRange& range);
InputSpec BooleanInput(std::string name, std::optional<bool> value);
InputSpec StringInput(std::string name);
InputSpec ChoiceInput(std::string name, std::vector<std::string> choices,
                      std::optional<std::string> value = std::nullopt);
/// Takes an image or a mask.
InputSpec ImageOrMaskInput(std::string name);
/// A match type: links of any type pass validation. `allowed` is a comma list; "IMAGE,MASK" is held
/// to at run time, of others the node sees any value.
InputSpec MatchInput(std::string name, std::string template_id, std::string allowed);
/// As many inputs like `member` as the prompt gives. The node has `range.max` inputs in its place.
InputSpec AutogrowInput(std::string name, InputSpec member, GrowRange range);
/// An option list whose options bring inputs along. The node has, in its place, the text of the
/// option and then the inputs of each branch in turn; those of branches not taken are absent.
InputSpec DynamicComboInput(std::string name, std::vector<ComboBranch> branches);
InputSpec Optional(InputSpec input);
InputSpec ShowsNoOptions(InputSpec input);
InputSpec Lazy(InputSpec input);

/// The pair [type, options] that ComfyUI shows for an input, in /object_info and in errors; of
/// choices that were looked up no more than `most_found`.
Json InputConfig(const InputSpec& input, SchemaStyle style, std::size_t most_found = SIZE_MAX);

}  // namespace framelock::graph
