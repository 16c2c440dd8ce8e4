// SPDX-License-Identifier: Apache-2.0
#include "api/origin_policy.h"

#include <algorithm>

namespace framelock::api {

namespace {

std::string_view HostName(std::string_view host_port) {
  if (host_port.starts_with('[')) return host_port.substr(0, host_port.find(']') + 1);
  return host_port.substr(0, host_port.find(':'));
}

bool IsIpLiteral(std::string_view host) {
  if (host.starts_with('[')) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") || host == "[::1]" || net::EqualsIgnoringCase(host, "localhost");
}

}  // namespace

bool OriginPolicy::Allows(std::string_view origin) const {
  return std::any_of(cors_origins.begin(), cors_origins.end(), [&](const std::string& allowed) {
    return allowed == "*" || allowed == origin;
  });
}

std::optional<std::string> OriginPolicy::Refusal(const net::HttpRequest& request) const {
  const std::string_view host_port = request.Header("Host").value_or("");
  const std::string_view host = HostName(host_port);
  const bool known =
      host_port.empty() || IsIpLiteral(host) || net::EqualsIgnoringCase(host, "localhost") ||
      std::any_of(allowed_hosts.begin(), allowed_hosts.end(), [&](const std::string& allowed) {
        return net::EqualsIgnoringCase(allowed, host);
      });
  const bool guarded = IsLoopback(HostName(listen)) || !allowed_hosts.empty();
  if (!known && guarded) {
    return "Host names neither an IP address nor localhost; allow it with --allow-host";
  }
  const std::optional<std::string_view> origin = request.Header("Origin");
  if (!origin || Allows(*origin)) return std::nullopt;
  const bool same = *origin == "http://" + std::string(host_port) ||
                    *origin == "https://" + std::string(host_port);
  if (same) return std::nullopt;
  return "the request comes from a page of another origin; allow it with --cors-origin";
}

std::vector<net::HttpHeader> OriginPolicy::CorsHeaders(const net::HttpRequest& request) const {
  const std::optional<std::string_view> origin = request.Header("Origin");
  if (!origin || !Allows(*origin)) return {};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Access-Control-Allow-Credentials", "true"},
          {"Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"},
          {"Access-Control-Allow-Headers", "Content-Type, Authorization, X-Stream-Id"},
          {"Access-Control-Expose-Headers", "*"},
          {"Vary", "Origin"}};
}

}  // namespace framelock::api
