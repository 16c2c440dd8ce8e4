// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/row_threads.h"

#include <exception>

#include "pipeline/core/thread_name.h"

namespace framelock::graph {

namespace {

thread_local bool to_itself = false;

}  // namespace

RowThreads::RowThreads(std::size_t count) {
  helpers_.reserve(count);
  try {
    while (helpers_.size() + 1 < count) {
      helpers_.emplace_back([this] { Help(); });
    }
  } catch (const std::exception&) {
    // No more threads are to be had.
  }
}

RowThreads::~RowThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  called_.notify_all();
  for (std::thread& helper : helpers_) {
    helper.join();
  }
}

RowThreads& RowThreads::Alone() {
  static RowThreads alone(1);
  return alone;
}

void RowThreads::KeepToYourself() { to_itself = true; }

bool RowThreads::Begin() { return !to_itself && !busy_.test_and_set(); }

void RowThreads::Run(const Job& job) {
  std::unique_lock lock(mutex_);
  job_ = job;
  begun_ = finished_parts_ = 0;
  for (std::size_t helper = 1; helper < job.parts; ++helper) {
    called_.notify_one();
  }
  WorkOn(lock);
  finished_.wait(lock, [this] { return finished_parts_ == job_.parts; });
}

// Takes one part after the other until all are begun.
void RowThreads::WorkOn(std::unique_lock<std::mutex>& lock) {
  while (begun_ < job_.parts) {
    const std::size_t number = begun_++;
    const Job job = job_;
    lock.unlock();
    job.RunPart(number);
    lock.lock();
    if (++finished_parts_ == job_.parts) {
      finished_.notify_one();
    }
  }
}

void RowThreads::Help() {
  NameThread("rows");
  std::unique_lock lock(mutex_);
  for (;;) {
    called_.wait(lock, [this] { return stopping_ || begun_ < job_.parts; });
    if (stopping_) {
      return;
    }
    WorkOn(lock);
  }
}

}  // namespace framelock::graph
