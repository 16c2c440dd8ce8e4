// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/row_threads.h"

#include <algorithm>
#include <system_error>

#include "pipeline/core/thread_name.h"

namespace framelock::graph {

RowThreads::RowThreads(std::size_t count) {
  helpers_.reserve(count);
  try {
    for (std::size_t number = 1; number < count; ++number) {
      helpers_.emplace_back([this, number] { Help(number); });
    }
  } catch (const std::system_error&) {
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

std::size_t RowThreads::PartsOf(std::size_t rows, std::size_t least) const {
  return std::clamp<std::size_t>(rows / std::max<std::size_t>(least, 1), 1, count());
}

void RowThreads::Run(const Job& job) {
  {
    const std::lock_guard lock(mutex_);
    job_ = job;
    ++jobs_;
    unfinished_ = job.parts - 1;
  }
  called_.notify_all();
  job.RunPart(0);
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return unfinished_ == 0; });
}

void RowThreads::Help(std::size_t number) {
  NameThread("rows");
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    called_.wait(lock, [&] { return stopping_ || jobs_ != seen; });
    if (stopping_) {
      return;
    }
    seen = jobs_;
    if (number >= job_.parts) {
      continue;
    }
    const Job job = job_;
    lock.unlock();
    job.RunPart(number);
    lock.lock();
    if (--unfinished_ == 0) {
      finished_.notify_one();
    }
  }
}

}  // namespace framelock::graph
