// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace framelock::graph {

/// Threads that share the rows of a picture, or the values of a tensor: the caller's and a fixed
/// number of others, which sleep meanwhile. One object serves all graphs of a process; who finds it
/// busy works alone. What is computed does not depend on how many there are. Any thread may call.
class RowThreads {
 public:
  /// Rows [begin, end). Each part of one Share has another `number`, below Parts(rows): whoever
  /// works on it may keep scratch of that number.
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t number = 0;
  };
  /// A thread is not woken for fewer rows of a usual picture, or values, than these.
  static constexpr std::size_t kLeastRows = 32;
  static constexpr std::size_t kLeastValues = 1U << 16;

  /// `count` with the caller's, 1 at least; fewer where the system has no more.
  explicit RowThreads(std::size_t count);
  ~RowThreads();
  RowThreads(const RowThreads&) = delete;
  RowThreads& operator=(const RowThreads&) = delete;

  /// The caller alone; for whoever is given none.
  static RowThreads& Alone();
  /// The calling thread shares with nobody from now on, for its work may take its time.
  static void KeepToYourself();

  [[nodiscard]] std::size_t count() const { return helpers_.size() + 1; }
  /// How many parts so many rows have at most; 1 at least.
  [[nodiscard]] std::size_t Parts(std::size_t rows, std::size_t least = kLeastRows) const {
    return std::clamp<std::size_t>(rows / least, 1, count());
  }

  /// Calls work(Part) for parts of `least` rows or more that together are [0, rows), and returns
  /// when all are done. `work` must not throw. Allocates nothing.
  template <typename Work>
  void Share(std::size_t rows, const Work& work, std::size_t least = kLeastRows) {
    const std::size_t parts = Parts(rows, least);
    if (parts < 2 || !Begin()) {
      work(Part{.begin = 0, .end = rows});
      return;
    }
    Run({.call = [](const void* self,
                    const Part& part) { (*static_cast<const Work*>(self))(part); },
         .work = &work,
         .rows = rows,
         .parts = parts});
    busy_.clear();
  }

 private:
  struct Job {
    void (*call)(const void* work, const Part& part) = nullptr;
    const void* work = nullptr;
    std::size_t rows = 0;
    std::size_t parts = 0;
    void RunPart(std::size_t number) const noexcept {
      call(work, {rows * number / parts, rows * (number + 1) / parts, number});
    }
  };

  bool Begin();
  void Run(const Job& job);
  void WorkOn(std::unique_lock<std::mutex>& lock);
  void Help();

  std::atomic_flag busy_;  // held by whoever shares
  std::mutex mutex_;
  std::condition_variable called_, finished_;
  Job job_;
  std::size_t begun_ = 0, finished_parts_ = 0;  // of its parts
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace framelock::graph
