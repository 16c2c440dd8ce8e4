// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "workers/graph/json.h"

namespace framelock::graph {

/// ComfyUI's verdicts quote values as Python prints them, and take literals as Python converts
/// them. These functions are that part of Python.

/// str(value): a string as it is, anything else as PythonRepr().
std::string PythonStr(const Json& value);
/// repr(value): 'text', 1, 1.0, 1e-05, nan, True, None, ['a', 1], {'a': 1}.
std::string PythonRepr(const Json& value);
/// Name of the type: "str", "int", "float", "bool", "NoneType", "list", "dict".
const char* PythonTypeName(const Json& value);
/// bool(value).
bool PythonTruth(const Json& value);

/// What a conversion gave: a value, or the text of the exception.
struct Converted {
  Json value;
  std::string exception;
  [[nodiscard]] bool ok() const { return exception.empty(); }
};

/// int(value): integers beyond 64 bits saturate.
Converted PythonInt(const Json& value);
/// float(value).
Converted PythonFloat(const Json& value);

}  // namespace framelock::graph
