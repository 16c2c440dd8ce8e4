// SPDX-License-Identifier: Apache-2.0
#include "workers/main/batch.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/json.h"
#include "workers/main/arguments.h"
#include "workers/main/offline.h"

namespace framelock::worker {

namespace {

using graph::Json;

std::optional<std::vector<std::string>> ParseWords(const std::string& line) {
  const Result<Json> list = graph::ParseJson(line, graph::PromptLimits());
  const auto is_text = [](const Json& word) { return word.is_string(); };
  if (!list.ok() || !list->is_array() || !std::ranges::all_of(*list, is_text)) {
    return std::nullopt;
  }
  return list->get<std::vector<std::string>>();
}

int RunCommand(const std::vector<std::string>& words, const graph::NodeRegistry& registry) {
  const std::string name = words.empty() ? "" : words.front();
  if (name != "run" && name != "validate") {
    std::cerr << "framelock-worker: batch takes run and validate, not '" << name << "'\n";
    return kOfflineUsage;
  }
  std::vector<const char*> rest;
  std::transform(words.begin() + 1, words.end(), std::back_inserter(rest),
                 [](const std::string& word) { return word.c_str(); });
  const Result<Arguments> arguments =
      Arguments::Parse(rest, name == "run" ? RunOptionNames() : ValidateOptionNames());
  if (!arguments.ok()) {
    std::cerr << "framelock-worker: " << arguments.error().message << "\n";
    return kOfflineUsage;
  }
  return name == "run" ? RunOffline(*arguments, registry) : ValidateOffline(*arguments, registry);
}

}  // namespace

int RunBatch(const graph::NodeRegistry& registry) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::optional<std::vector<std::string>> words = ParseWords(line);
    if (!words) {
      std::cerr << "framelock-worker: a line of a batch is a JSON list of words\n";
      return kOfflineUsage;
    }
    const int status = RunCommand(*words, registry);
    std::cout << graph::DumpJson({{"exit", status}}) << std::endl;
  }
  return kOfflineGood;
}

}  // namespace framelock::worker
