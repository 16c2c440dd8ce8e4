// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::bench {

/// Blocking calls of a control API, framelockd's or a peer's, one at a time on a connection that
/// is kept. One thread.
class ApiClient {
 public:
  struct Answer {
    unsigned status = 0;
    nlohmann::json body;  // null unless 2xx with JSON
  };

  static Result<std::unique_ptr<ApiClient>> Open(const std::string& url);
  ~ApiClient();

  /// kTimeout: no whole answer in time. A null body is none.
  Result<Answer> Call(const std::string& method, const std::string& path,
                      const nlohmann::json& body = nullptr,
                      std::chrono::milliseconds timeout = std::chrono::seconds(30));
  /// As Call; an answer other than 2xx is kUnavailable, naming the request.
  Result<nlohmann::json> Ask(const std::string& method, const std::string& path,
                             const nlohmann::json& body = nullptr);

 private:
  class Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::bench
