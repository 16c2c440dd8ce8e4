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
  return std::holds_alternative<std::string>(value) ? ValueKind::kString : ValueKind::kAny;
}

}  // namespace

bool Fits(const Value& value, ValueKind kind) {
  return kind == ValueKind::kAny || KindOf(value) == kind;
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
    case ValueKind::kInt:
      return "an INT";
    case ValueKind::kFloat:
      return "a FLOAT";
    case ValueKind::kBoolean:
      return "a BOOLEAN";
    case ValueKind::kString:
      return "a STRING";
    case ValueKind::kAny:
      break;
  }
  return "any value";
}

}  // namespace framelock::graph
