// SPDX-License-Identifier: Apache-2.0
#include "workers/main/arguments.h"

#include <algorithm>
#include <charconv>

namespace framelock::worker {

namespace {

Error Usage(const std::string& text) { return {ErrorCode::kInvalidArgument, text}; }

bool Knows(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Result<Arguments> Arguments::Parse(std::span<const char* const> words, const OptionNames& names) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::size_t equals = word.find('=');
    const std::string name(word.substr(0, equals));
    if (Knows(names.flags, word)) {
      if (!arguments.flags_.emplace(word).second) {
        return Usage(name + " is given twice");
      }
      continue;
    }
    const bool is_list = Knows(names.lists, name);
    if (!is_list && !Knows(names.values, name)) {
      return Usage("unknown argument '" + std::string(word) + "'");
    }
    if (equals == std::string_view::npos && i + 1 == words.size()) {
      return Usage(name + " needs a value");
    }
    const std::string_view value =
        equals == std::string_view::npos ? words[++i] : word.substr(equals + 1);
    std::vector<std::string>& values = arguments.values_[name];
    if (!is_list && !values.empty()) {
      return Usage(name + " is given twice");
    }
    values.emplace_back(value);
  }
  return arguments;
}

std::optional<std::string> Arguments::Find(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return std::nullopt;
  }
  return found->second.front();
}

std::vector<std::string> Arguments::FindAll(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

Result<std::optional<std::int64_t>> Arguments::FindNumber(std::string_view name) const {
  const std::optional<std::string> text = Find(name);
  if (!text) {
    return std::optional<std::int64_t>();
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) {
    return Usage(std::string(name) + " takes a number, not '" + *text + "'");
  }
  return std::optional(number);
}

Result<std::size_t> ThreadsIn(const Arguments& arguments) {
  const auto threads = arguments.FindNumber("--threads");
  if (!threads.ok()) {
    return threads.error();
  }
  const std::int64_t count = threads->value_or(1);
  if (count < 1 || count > kMostThreads) {
    return Usage("--threads: " + std::to_string(count) + " is not within 1 to " +
                 std::to_string(kMostThreads));
  }
  return static_cast<std::size_t>(count);
}

}  // namespace framelock::worker
