// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/value.h"

namespace framelock::graph {

namespace {

ValueKind KindOf(const Value& value) {
  if (const Tensor* tensor = std::get_if<Tensor>(&value)) {
    return tensor->shape().layout == TensorLayout::kMask ? ValueKind::kMask : ValueKind::kImage;
  }
  if (std::holds_alternative<std::int64_t>(value)) {
    return ValueKind::kInt;
  }
  if (std::holds_alternative<double>(value)) {
    return ValueKind::kFloat;
  }
  if (std::holds_alternative<bool>(value)) {
    return ValueKind::kBoolean;
  }
  if (std::holds_alternative<Audio>(value)) {
    return ValueKind::kAudio;
  }
  return std::holds_alternative<std::string>(value) ? ValueKind::kString : ValueKind::kAny;
}

}  // namespace

bool Fits(const Value& value, ValueKind kind) {
  const ValueKind own = KindOf(value);
  switch (kind) {
    case ValueKind::kAny:
      return true;
    case ValueKind::kImageOrMask:
      return own == ValueKind::kImage || own == ValueKind::kMask;
    case ValueKind::kBoolean:
      return own == ValueKind::kBoolean || own == ValueKind::kInt || own == ValueKind::kFloat;
    case ValueKind::kFloat:
      return own == ValueKind::kFloat || own == ValueKind::kInt || own == ValueKind::kBoolean;
    case ValueKind::kInt:
      return own == ValueKind::kInt || own == ValueKind::kBoolean;
    case ValueKind::kImage:
    case ValueKind::kMask:
    case ValueKind::kString:
    case ValueKind::kAudio:
      break;
  }
  return own == kind;
}

std::int64_t IntOf(const Value& value) {
  const auto* boolean = std::get_if<bool>(&value);
  return boolean != nullptr ? (*boolean ? 1 : 0) : std::get<std::int64_t>(value);
}

double FloatOf(const Value& value) {
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? *number : static_cast<double>(IntOf(value));
}

bool BooleanOf(const Value& value) {
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? *number != 0 : IntOf(value) != 0;
}

const char* Describe(const Value& value) {
  return std::holds_alternative<std::monostate>(value) ? "nothing" : Describe(KindOf(value));
}

const char* Describe(ValueKind kind) {
  switch (kind) {
    case ValueKind::kImage:
      return "an IMAGE";
    case ValueKind::kMask:
      return "a MASK";
    case ValueKind::kImageOrMask:
      return "an IMAGE or a MASK";
    case ValueKind::kInt:
      return "an INT";
    case ValueKind::kFloat:
      return "a FLOAT";
    case ValueKind::kBoolean:
      return "a BOOLEAN";
    case ValueKind::kString:
      return "a STRING";
    case ValueKind::kAudio:
      return "an AUDIO";
    case ValueKind::kAny:
      break;
  }
  return "any value";
}

}  // namespace framelock::graph
