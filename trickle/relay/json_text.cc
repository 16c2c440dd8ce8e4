// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/json_text.h"

#include <spdlog/fmt/fmt.h>

#include <cstdint>

namespace framelock::relay {
namespace {

// Length of the well-formed UTF-8 sequence at the front of a text; 0 if there is none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  std::size_t length = 1;
  if (lead >= 0x80) length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90)) return 0;
  return length;
}

}  // namespace

std::string JsonText(std::string_view text) {
  std::string literal = "\"";
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      literal += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      literal += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      literal += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return literal + '"';
}

}  // namespace framelock::relay
