// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/log_line.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace framelock {

namespace {

using spdlog::level::level_enum;

// Before the message stand a time, a name, a level: further words are the message's.
constexpr int kMaxWords = 4;

constexpr std::array<std::pair<std::string_view, level_enum>, 10> kNames{
    {{"trace", level_enum::trace},
     {"debug", level_enum::debug},
     {"info", level_enum::info},
     {"notice", level_enum::info},
     {"warn", level_enum::warn},
     {"warning", level_enum::warn},
     {"err", level_enum::err},
     {"error", level_enum::err},
     {"critical", level_enum::critical},
     {"fatal", level_enum::critical}}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<level_enum> LevelOf(std::string_view word) {
  const auto same = [&](const auto& entry) {
    return std::equal(word.begin(), word.end(), entry.first.begin(), entry.first.end(),
                      [](char left, char right) { return Lower(left) == right; });
  };
  const auto found = std::find_if(kNames.begin(), kNames.end(), same);
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

// {"time":"…","level":"warning",…}: an escaped quote inside a message does not look like the key.
std::optional<level_enum> LevelOfJson(std::string_view line) {
  constexpr std::string_view kKey = "\"level\"";
  const std::size_t key = line.find(kKey);
  if (key == std::string_view::npos) return std::nullopt;
  std::string_view rest = Trimmed(line.substr(key + kKey.size()));
  if (!rest.starts_with(':')) return std::nullopt;
  rest = Trimmed(rest.substr(1));
  if (!rest.starts_with('"')) return std::nullopt;
  rest.remove_prefix(1);
  return LevelOf(rest.substr(0, rest.find('"')));
}

bool IsTime(std::string_view word) {
  return word.find_first_not_of("0123456789-+:.,/TZ") == std::string_view::npos;
}

}  // namespace

std::optional<level_enum> LevelOfLogLine(std::string_view line) {
  line = Trimmed(line);
  if (line.starts_with('{')) return LevelOfJson(line);
  bool behind_time = false;
  for (int i = 0; i < kMaxWords && !line.empty(); ++i) {
    const bool brackets = line.starts_with('[');
    const std::size_t end = std::min(line.find(brackets ? ']' : ' '), line.size());
    std::string_view word = line.substr(brackets ? 1 : 0, end - (brackets ? 1 : 0));
    line = Trimmed(line.substr(std::min(end + 1, line.size())));
    const bool colon = !brackets && word.ends_with(':');
    if (colon) word.remove_suffix(1);
    const std::optional<level_enum> level = LevelOf(Trimmed(word));
    if (level && (brackets || colon || behind_time)) return level;
    behind_time = behind_time || (!brackets && IsTime(word));
    if (!brackets && !behind_time) break;
  }
  return std::nullopt;
}

}  // namespace framelock
