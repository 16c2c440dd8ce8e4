// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <future>
#include <thread>

#include "pipeline/net/loop.h"

namespace framelock::test {

/// A Loop on a thread of its own. Destroy it before what its coroutines borrow.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() { Stop(); }

  void Stop() {
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
  }
  net::Loop& loop() { return loop_; }

  /// Runs something on the loop's thread and waits for what it returns.
  template <typename Function>
  auto Call(Function function) -> decltype(function()) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    loop_.Post([&task] { task(); });
    return result.get();
  }

 private:
  net::Loop loop_;
  std::thread thread_;
};

}  // namespace framelock::test
