// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/common.h>

#include <optional>
#include <string_view>

namespace framelock {

/// The level that one line of another process's log gives itself: "level" of a JSON line, a word
/// behind the time as InitLog() writes it, or a word in brackets or before a colon, as others do.
/// nullopt: it names none.
std::optional<spdlog::level::level_enum> LevelOfLogLine(std::string_view line);

}  // namespace framelock
