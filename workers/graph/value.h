// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "workers/graph/tensor.h"

namespace framelock::graph {

/// An AUDIO. Batch, channels and samples of the waveform are a mask's batch, height and width.
struct Audio {
  Tensor waveform;  // -1 to 1 as a rule
  std::uint32_t sample_rate = 0;
};

/// What travels along a link or stands in a prompt. IMAGE and MASK are tensors told apart by their
/// layout; INT beyond 63 bits (seeds) wraps; monostate is nothing yet, or null.
using Value = std::variant<std::monostate, Tensor, std::int64_t, double, bool, std::string, Audio>;

/// What an input takes at run time; kAny leaves the look to the node. Numbers are taken as Python
/// takes them: a BOOLEAN where an INT is wanted, either where a FLOAT is, any of them for a
/// BOOLEAN.
enum class ValueKind : std::uint8_t {
  kAny,
  kImage,
  kMask,
  kImageOrMask,
  kInt,
  kFloat,
  kBoolean,
  kString,
  kAudio,
};

bool Fits(const Value& value, ValueKind kind);

/// A value that fits the kind, as that kind.
std::int64_t IntOf(const Value& value);
double FloatOf(const Value& value);
bool BooleanOf(const Value& value);

/// "an IMAGE", "a STRING", for error texts.
const char* Describe(const Value& value);
const char* Describe(ValueKind kind);

}  // namespace framelock::graph
