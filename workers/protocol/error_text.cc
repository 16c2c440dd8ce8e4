// SPDX-License-Identifier: Apache-2.0
#include "workers/protocol/error_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace framelock::protocol {

namespace {

// Bytes of the well-formed UTF-8 character at the front of `text`; 0: there is none.
std::size_t CharacterBytes(std::string_view text) {
  struct Range {  // lead byte, length, and what the second byte may be
    std::uint8_t first, last, bytes, second_min, second_max;
  };
  static constexpr std::array<Range, 8> kRanges{{{0xC2, 0xDF, 2, 0x80, 0xBF},
                                                 {0xE0, 0xE0, 3, 0xA0, 0xBF},
                                                 {0xE1, 0xEC, 3, 0x80, 0xBF},
                                                 {0xED, 0xED, 3, 0x80, 0x9F},
                                                 {0xEE, 0xEF, 3, 0x80, 0xBF},
                                                 {0xF0, 0xF0, 4, 0x90, 0xBF},
                                                 {0xF1, 0xF3, 4, 0x80, 0xBF},
                                                 {0xF4, 0xF4, 4, 0x80, 0x8F}}};
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7F ? 1 : 0;
  const auto* range = std::ranges::find_if(
      kRanges, [&](const Range& r) { return byte(0) >= r.first && byte(0) <= r.last; });
  if (range == kRanges.end() || text.size() < range->bytes) return 0;
  if (byte(1) < range->second_min || byte(1) > range->second_max) return 0;
  for (std::size_t i = 2; i < range->bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return range->bytes;
}

}  // namespace

void StoreErrorText(std::string_view text, Completed& message) {
  const std::size_t room = message.error.size() - 1;
  std::size_t used = 0;
  message.error.fill('\0');
  while (!text.empty()) {
    const std::size_t bytes = CharacterBytes(text);
    const std::size_t taken = std::max<std::size_t>(bytes, 1);
    if (used + taken > room) return;
    if (bytes == 0) {
      message.error[used] = '?';
    } else {
      std::ranges::copy(text.substr(0, bytes), message.error.begin() + used);
    }
    used += taken;
    text.remove_prefix(taken);
  }
}

Status CheckErrorText(Completed& message) {
  const auto end = std::ranges::find(message.error, '\0');
  if (end == message.error.end()) {
    return Error{ErrorCode::kProtocol, "completed: error is not zero-terminated"};
  }
  const std::string text(message.error.begin(), end);
  StoreErrorText(text, message);
  return {};
}

}  // namespace framelock::protocol
