// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "tests/bench/child_program.h"
#include "tests/bench/end_to_end/api_client.h"
#include "tests/bench/run_options.h"

namespace framelock::bench {

/// Where streams run: a relay and a server with POST /stream/start. Ours is started for the suite
/// and ends with it; a peer's is somebody else's. One thread.
class House {
 public:
  enum class Owner : std::uint8_t { kOurs, kPeer };

  /// framelock-relay and framelockd, with further arguments for the latter.
  static Result<std::unique_ptr<House>> Start(const RunOptions& run,
                                              const std::vector<std::string>& daemon_arguments);
  /// --peer-api, behind --peer-relay or else behind the relay of `ours`.
  static Result<std::unique_ptr<House>> Visit(const RunOptions& run, const House& ours);

  [[nodiscard]] Owner owner() const { return daemon_ ? Owner::kOurs : Owner::kPeer; }
  [[nodiscard]] std::string Channel(const std::string& name) const { return relay_url_ + name; }
  /// A name that no channel and no stream of this process had before.
  [[nodiscard]] static std::string NewName(const std::string& what);
  ApiClient& api() { return *api_; }

  /// Makes an empty channel, so that a reader can wait for its first byte.
  Status CreateChannel(const std::string& name);
  /// Ends framelockd, with its streams, and starts it anew. Ours only.
  Status RestartDaemon();
  /// Until a worker waits for the next stream. Ours only.
  Status WaitForSpareWorker();

 private:
  House() = default;

  Status StartDaemon();

  std::vector<std::string> daemon_argv_;
  std::unique_ptr<ChildProgram> relay_, daemon_;
  std::string relay_url_;  // with a slash at its end
  std::unique_ptr<ApiClient> api_, channels_;
};

/// Ours, and the peer's where --peer-api names one.
struct Houses {
  std::unique_ptr<House> ours, peer;

  static Result<Houses> Open(const RunOptions& run,
                             const std::vector<std::string>& daemon_arguments = {});
};

}  // namespace framelock::bench
