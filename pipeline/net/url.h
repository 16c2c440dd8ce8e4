// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::net {

/// An absolute URL that has passed the policy: a scheme from the caller's list, a host (name, IPv4
/// or [IPv6]), a port, a path; no user name, no fragment, no control or non-ASCII characters, no
/// broken percent escapes, no IPv4 address in disguise ("0x7f.1", "2130706433"). A value; what
/// takes a Url rather than a string cannot be handed an unvetted address.
class Url {
 public:
  static constexpr std::size_t kMaxBytes = 4096;

  /// kInvalidArgument, naming what is wrong, without the URL itself (it may hold a secret).
  static Result<Url> Parse(std::string_view text,
                           std::initializer_list<std::string_view> schemes = {"http", "https"});

  [[nodiscard]] const std::string& scheme() const { return scheme_; }  // lower case
  /// Without the brackets of an IPv6 address.
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }  // the scheme's default if not given
  [[nodiscard]] const std::string& path() const { return path_; }    // begins with '/'
  [[nodiscard]] const std::string& query() const { return query_; }  // without '?', may be empty
  [[nodiscard]] bool secure() const { return scheme_ == "https" || scheme_ == "wss"; }

  /// The same place with another path part behind the path ("/a/b" + "7" = "/a/b/7"); slashes at
  /// the end of the path are dropped first, the query stays.
  [[nodiscard]] Url Child(std::string_view part) const;
  [[nodiscard]] std::string ToString() const;

 private:
  Url() = default;
  std::string scheme_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string path_;
  std::string query_;
};

}  // namespace framelock::net
