// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/process/child_process.h"
#include "tests/bench/run_options.h"
#include "trickle/subscriber.h"

namespace framelock::bench {

/// framelock-bench-chain on the bytes of a channel, as they come: the least that decoding,
/// converting and encoding them costs, without network, muxer and worker. Owns a thread.
class BareChain {
 public:
  static Result<std::unique_ptr<BareChain>> Start(const RunOptions& run, const std::string& url,
                                                  int width, int height);
  ~BareChain();
  BareChain(const BareChain&) = delete;
  BareChain& operator=(const BareChain&) = delete;

  /// kUnavailable once the process has ended.
  [[nodiscard]] Status Check() const;
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  BareChain() = default;
  void Feed();

  std::unique_ptr<process::ChildProcess> process_;
  UniqueFd input_;  // of the process
  std::unique_ptr<trickle::Subscriber> subscriber_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace framelock::bench
