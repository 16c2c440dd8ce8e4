// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pipeline/core/event_fd.h"
#include "pipeline/core/result.h"
#include "workers/main/prompt_loader.h"

namespace framelock::worker {

/// Loads prompts on a thread of its own, one after the other. A graph moves between the threads as
/// a whole: it has its own buffers, and only one of the two ever touches it. The destructor waits
/// for the load under way, which may take for ever: see busy().
class LoaderThread final : public PromptLoader {
 public:
  using Load = std::function<Loaded(Job)>;

  static Result<std::unique_ptr<LoaderThread>> Create(Load load);
  ~LoaderThread() override;
  LoaderThread(const LoaderThread&) = delete;
  LoaderThread& operator=(const LoaderThread&) = delete;

  void Start(Job job) override;
  std::optional<Loaded> Take() override;
  void Discard(std::unique_ptr<graph::Session> session) override;

  /// Nobody takes any more what is or will be loaded: it is destroyed on the thread.
  void Abandon();
  /// Readable when Take() has something.
  [[nodiscard]] int fd() const { return ready_.fd(); }
  /// Whether the thread is in the hands of nodes, or about to be.
  [[nodiscard]] bool busy() const;
  /// Waits until it is not; false: it still is.
  bool AwaitIdle(std::chrono::steady_clock::time_point deadline);

 private:
  LoaderThread(Load load, EventFd ready);
  void Run();

  const Load load_;
  const EventFd ready_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::optional<Job> job_;
  std::optional<Loaded> loaded_;
  std::vector<std::unique_ptr<graph::Session>> discarded_;
  bool working_ = false, abandoned_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace framelock::worker
