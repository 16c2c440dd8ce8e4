// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/bench/child_program.h"
#include "tests/bench/run_options.h"
#include "tests/bench/trickle_load.h"

namespace framelock::bench {

/// A trickle server and what its process uses: our relay as a child, or a peer that runs already.
class RelayUnderTest {
 public:
  static Result<RelayUnderTest> Ours(const RunOptions& options);
  /// kInvalidArgument unless --peer-relay is a URL.
  static Result<RelayUnderTest> Peer(const RunOptions& options);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const ServerAddress& address() const { return address_; }
  /// nullopt: a peer whose process is not known.
  [[nodiscard]] std::optional<ProcessUsage> Usage() const;

  struct Figures {
    LoadFigures load;
    std::optional<double> cpu_seconds;
    std::optional<double> rss_mib;  // after the load
  };
  /// A load, and what the server used for it.
  Result<Figures> Measure(LoadOptions load) const;

 private:
  RelayUnderTest(std::string name, ServerAddress address, std::unique_ptr<ChildProgram> program,
                 pid_t pid)
      : name_(std::move(name)),
        address_(std::move(address)),
        program_(std::move(program)),
        pid_(pid) {}

  std::string name_;
  ServerAddress address_;
  std::unique_ptr<ChildProgram> program_;  // ours only
  pid_t pid_ = 0;                          // 0: unknown
};

}  // namespace framelock::bench
