// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::worker {

/// Which long options one command knows.
struct OptionNames {
  std::vector<std::string_view> flags;   // --name
  std::vector<std::string_view> values;  // --name VALUE or --name=VALUE
  std::vector<std::string_view> lists;   // the same, any number of times
};

/// The words of a command line, sorted. Nothing but options, each at most once if it is no list.
class Arguments {
 public:
  /// kInvalidArgument naming the word that is unknown, incomplete or repeated.
  static Result<Arguments> Parse(std::span<const char* const> words, const OptionNames& names);

  [[nodiscard]] bool Has(std::string_view flag) const { return flags_.contains(flag); }
  [[nodiscard]] std::optional<std::string> Find(std::string_view name) const;
  /// Of a list, in the order given.
  [[nodiscard]] std::vector<std::string> FindAll(std::string_view name) const;
  /// A whole number, kInvalidArgument if it is none; nullopt if the option is not given.
  [[nodiscard]] Result<std::optional<std::int64_t>> FindNumber(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> flags_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// --threads, that share the pixels of a frame: 1 to kMostThreads, by default 1.
inline constexpr std::int64_t kMostThreads = 64;
[[nodiscard]] Result<std::size_t> ThreadsIn(const Arguments& arguments);

}  // namespace framelock::worker
