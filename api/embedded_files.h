// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace framelock::api {

/// openapi.yaml (which is written in YAML's JSON form, so it is served as it stands) and page.html,
/// built into the program.
extern const std::string_view kOpenApiText;
extern const std::string_view kPageText;

}  // namespace framelock::api
