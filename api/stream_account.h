// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "pipeline/core/frame_ledger.h"

namespace framelock::api {

/// `past` plus the "account" of a media process's status; what is missing or no number counts 0.
Account StreamAccount(const Account& past, const nlohmann::json& media_status);

nlohmann::json ToJson(const Account& account);

}  // namespace framelock::api
