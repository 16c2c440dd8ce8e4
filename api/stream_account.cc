// SPDX-License-Identifier: Apache-2.0
#include "api/stream_account.h"

#include <nlohmann/json.hpp>

namespace framelock::api {

using nlohmann::json;

Account StreamAccount(const Account& past, const json& media_status) {
  Account sum = past;
  const auto account = media_status.find("account");
  if (account == media_status.end() || !account->is_object()) return sum;
  const auto add = [&](const char* name, std::uint64_t& counter) {
    const auto value = account->find(name);
    if (value == account->end() || !value->is_number_integer()) return;
    counter += *value >= 0 ? value->get<std::uint64_t>() : 0;
  };
  add("inputs", sum.inputs);
  add("completed", sum.completed);
  add("skipped", sum.skipped);
  add("failed", sum.failed);
  add("lost", sum.lost);
  add("open", sum.open);
  return sum;
}

json ToJson(const Account& account) {
  return {{"inputs", account.inputs},   {"completed", account.completed},
          {"skipped", account.skipped}, {"failed", account.failed},
          {"lost", account.lost},       {"open", account.open}};
}

}  // namespace framelock::api
