// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/quantity.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace framelock::relay {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Number times unit, if the unit is known and the product not above `limit`.
std::optional<std::uint64_t> Parse(std::string_view text, std::span<const Unit> units,
                                   std::uint64_t limit) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::string_view suffix(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  for (const Unit& unit : units) {
    if (suffix == unit.name && number <= limit / unit.factor) return number * unit.factor;
  }
  return std::nullopt;
}

constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr Unit kSizes[] = {{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}};

}  // namespace

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  constexpr std::chrono::milliseconds kYear = std::chrono::hours(24 * 365);
  const auto value = Parse(text, kDurations, static_cast<std::uint64_t>(kYear.count()));
  if (value) return std::chrono::milliseconds(*value);
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) + "\" is not a duration such as 500ms, 2s, 5m or 1h"};
}

Result<std::size_t> ParseByteSize(std::string_view text) {
  const auto value = Parse(text, kSizes, std::numeric_limits<std::size_t>::max() / 2);
  if (value) return static_cast<std::size_t>(*value);
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) + "\" is not a size such as 4096, 64K, 16M or 1G"};
}

}  // namespace framelock::relay
