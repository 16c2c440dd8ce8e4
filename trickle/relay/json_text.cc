// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/json_text.h"

#include <spdlog/fmt/fmt.h>

#include "pipeline/core/utf8.h"

namespace framelock::relay {

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
