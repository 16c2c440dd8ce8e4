// SPDX-License-Identifier: Apache-2.0
#include "workers/protocol/error_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "pipeline/core/utf8.h"

namespace framelock::protocol {

namespace {

// Bytes of the printable character at the front of `text`; 0: there is none.
std::size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  return first < 0x20 || first == 0x7F ? 0 : Utf8Length(text);
}

}  // namespace

void StoreErrorText(std::string_view text, ErrorText& error) {
  const std::size_t room = error.size() - 1;
  std::size_t used = 0;
  error.fill('\0');
  while (!text.empty()) {
    const std::size_t bytes = CharacterBytes(text);
    const std::size_t taken = std::max<std::size_t>(bytes, 1);
    if (used + taken > room) return;
    if (bytes == 0) {
      error[used] = '?';
    } else {
      std::ranges::copy(text.substr(0, bytes), error.begin() + used);
    }
    used += taken;
    text.remove_prefix(taken);
  }
}

Status CheckErrorText(ErrorText& error) {
  const auto end = std::ranges::find(error, '\0');
  if (end == error.end()) {
    return Error{ErrorCode::kProtocol, "error is not zero-terminated"};
  }
  const std::string text(error.begin(), end);
  StoreErrorText(text, error);
  return {};
}

}  // namespace framelock::protocol
