// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "pipeline/process/child_process.h"
#include "tests/support/http_probe.h"

namespace framelock::test {

/// A framelockd on a free port, with what it starts. Everything is gone when it is destroyed.
class DaemonRig {
 public:
  explicit DaemonRig(std::vector<std::string> arguments = {});
  ~DaemonRig();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] process::ChildProcess& process() { return *process_; }

  struct Answer {
    int status = 0;
    nlohmann::json body;
  };
  Answer Call(const std::string& method, const std::string& path, const std::string& body = "",
              HttpProbe::Headers headers = {}) const;
  /// A start whose channels nobody serves: processes run, media never flows.
  Answer Start(const std::string& id,
               const nlohmann::json& params = nlohmann::json::object()) const;
  [[nodiscard]] nlohmann::json Status(const std::string& id) const;

  /// All descendants of the daemon.
  [[nodiscard]] std::set<pid_t> Family() const;

 private:
  std::unique_ptr<process::ChildProcess> process_;
  std::uint16_t port_ = 0;
};

/// Polls; false after the time.
bool Eventually(const std::function<bool()>& predicate,
                std::chrono::milliseconds timeout = std::chrono::seconds(15));

/// False for a zombie, too.
bool Alive(pid_t pid);

std::size_t OpenFds(pid_t pid);

}  // namespace framelock::test
