// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/http_request.h"

namespace framelock::api {

/// Which web pages may talk to the control API. Browsers send Origin with every cross-origin POST,
/// and Host names what the page believes to be talking to; curl and services send no Origin and
/// are not affected.
struct OriginPolicy {
  std::vector<std::string> cors_origins;   // exact origins, or "*"; none by default
  std::vector<std::string> allowed_hosts;  // names besides IP addresses and localhost
  std::string listen = "127.0.0.1:8000";   // on a loopback address, Host is always checked

  /// Why the request is refused (403); nullopt: it may pass. A foreign Host is a page that rebound
  /// its name to this machine; it is looked for on a loopback listener, and on every other one once
  /// allowed_hosts names the right ones. A foreign Origin is another site's page.
  [[nodiscard]] std::optional<std::string> Refusal(const net::HttpRequest& request) const;

  /// The Access-Control headers of an answer: none unless the request's origin is allowed.
  [[nodiscard]] std::vector<net::HttpHeader> CorsHeaders(const net::HttpRequest& request) const;

 private:
  [[nodiscard]] bool Allows(std::string_view origin) const;
};

}  // namespace framelock::api
