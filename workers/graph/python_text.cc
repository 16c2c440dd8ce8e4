// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/python_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>

namespace framelock::graph {

namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

std::string ReprFloat(double number) {
  if (std::isnan(number)) {
    return "nan";
  }
  if (std::isinf(number)) {
    return number > 0 ? "inf" : "-inf";
  }
  std::array<char, 64> buffer;
  // Python turns to exponents below 1e-4 and from 1e16 on.
  const double magnitude = std::fabs(number);
  const bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr;
  std::string text(buffer.data(), end);
  if (plain && text.find('.') == std::string::npos) {
    text += ".0";
  }
  return text;
}

std::string ReprString(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const bool has_double = text.find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string repr(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      repr += '\\';
      repr += c;
    } else if (c == '\n') {
      repr += "\\n";
    } else if (c == '\r') {
      repr += "\\r";
    } else if (c == '\t') {
      repr += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view kHex = "0123456789abcdef";
      repr += "\\x";
      repr += kHex[byte >> 4];
      repr += kHex[byte & 15];
    } else {
      repr += c;
    }
  }
  return repr + quote;
}

std::string_view Strip(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Drops the separators of 1_000; nullopt where Python forbids them.
std::optional<std::string> DropSeparators(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return plain;
}

std::optional<Json> ParseInt(std::string_view text) {
  const std::optional<std::string> plain = DropSeparators(Strip(text));
  if (!plain) {
    return std::nullopt;
  }
  std::string_view digits = *plain;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t magnitude = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), magnitude).ec != std::errc()) {
    const double beyond = std::strtod(plain->c_str(), nullptr);
    return Json(beyond);
  }
  if (!negative) {
    return Json(magnitude);
  }
  constexpr std::uint64_t kLowest = 1ULL << 63;
  return magnitude > kLowest ? Json(-static_cast<double>(magnitude))
                             : Json(static_cast<std::int64_t>(0 - magnitude));
}

// Only what Python's float() takes: no hexadecimal, nan and inf in any case.
std::optional<double> ParseFloat(std::string_view text) {
  const std::optional<std::string> plain = DropSeparators(Strip(text));
  if (!plain) {
    return std::nullopt;
  }
  std::string_view number = *plain;
  const bool negative = number.starts_with('-');
  if (negative || number.starts_with('+')) {
    number.remove_prefix(1);
  }
  if (number.empty() || number.front() == '-' || number.find('(') != std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (end != number.data() + number.size() || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    const std::size_t exponent = number.find_first_of("eE");
    const bool tiny = exponent != std::string_view::npos
                          ? number[exponent + 1] == '-'
                          : number.front() == '0' || number.front() == '.';
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return negative ? -value : value;
}

Converted IntFromFloat(double number) {
  if (std::isnan(number)) {
    return {{}, "cannot convert float NaN to integer"};
  }
  if (std::isinf(number)) {
    return {{}, "cannot convert float infinity to integer"};
  }
  const double whole = std::trunc(number);
  if (whole >= 0x1p64 || whole < -0x1p63) {
    return {whole, {}};
  }
  if (whole >= 0) {
    return {static_cast<std::uint64_t>(whole), {}};
  }
  return {static_cast<std::int64_t>(whole), {}};
}

}  // namespace

std::string PythonRepr(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return ReprString(value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case Json::value_t::number_float:
      return ReprFloat(value.get<double>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return value.dump();
    case Json::value_t::array: {
      std::string text;
      for (const Json& item : value) {
        text += (text.empty() ? "" : ", ") + PythonRepr(item);
      }
      return "[" + text + "]";
    }
    case Json::value_t::object: {
      std::string text;
      for (const auto& [key, item] : value.items()) {
        text += (text.empty() ? "" : ", ") + ReprString(key) + ": " + PythonRepr(item);
      }
      return "{" + text + "}";
    }
    default:
      return "None";
  }
}

std::string PythonStr(const Json& value) {
  return value.is_string() ? value.get<std::string>() : PythonRepr(value);
}

const char* PythonTypeName(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return "str";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::number_float:
      return "float";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "int";
    case Json::value_t::array:
      return "list";
    case Json::value_t::object:
      return "dict";
    default:
      return "NoneType";
  }
}

bool PythonTruth(const Json& value) {
  if (value.is_boolean()) {
    return value.get<bool>();
  }
  if (value.is_number()) {
    return value.get<double>() != 0;
  }
  if (value.is_string()) {
    return !value.get_ref<const std::string&>().empty();
  }
  return !value.empty();
}

Converted PythonInt(const Json& value) {
  if (value.is_boolean()) {
    return {value.get<bool>() ? 1 : 0, {}};
  }
  if (value.is_number_integer()) {
    return {value, {}};
  }
  if (value.is_number_float()) {
    return IntFromFloat(value.get<double>());
  }
  if (value.is_string()) {
    if (const std::optional<Json> number = ParseInt(value.get_ref<const std::string&>())) {
      return {*number, {}};
    }
    return {{}, "invalid literal for int() with base 10: " + PythonRepr(value)};
  }
  return {{},
          std::string("int() argument must be a string, a bytes-like object or a real number, "
                      "not '") +
              PythonTypeName(value) + "'"};
}

Converted PythonFloat(const Json& value) {
  if (value.is_boolean()) {
    return {value.get<bool>() ? 1.0 : 0.0, {}};
  }
  if (value.is_number()) {
    return {value.get<double>(), {}};
  }
  if (value.is_string()) {
    if (const std::optional<double> number = ParseFloat(value.get_ref<const std::string&>())) {
      return {*number, {}};
    }
    return {{}, "could not convert string to float: " + PythonRepr(value)};
  }
  return {{},
          std::string("float() argument must be a string or a real number, not '") +
              PythonTypeName(value) + "'"};
}

}  // namespace framelock::graph
