// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace framelock::graph {

/// Threads that share the rows of a picture: the caller's and a fixed number of others, which sleep
/// meanwhile. One object serves all graphs of a process; who finds it busy works alone. What is
/// computed does not depend on how many there are. Any thread may call.
class RowThreads {
 public:
  /// Rows [begin, end). Of two parts that run at a time `number` differs; it is below count().
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t number = 0;
  };

  /// `count` with the caller's, 1 at least; fewer where the system has no more.
  explicit RowThreads(std::size_t count);
  ~RowThreads();
  RowThreads(const RowThreads&) = delete;
  RowThreads& operator=(const RowThreads&) = delete;

  /// The caller alone; for whoever is given none.
  static RowThreads& Alone();

  [[nodiscard]] std::size_t count() const { return helpers_.size() + 1; }

  /// A thread is not woken for fewer rows of a usual picture than these.
  static constexpr std::size_t kLeastRows = 32;

  /// Calls work(Part) for parts of `least` rows or more that together are [0, rows), and returns
  /// when all are done. `work` must not throw, and not share again. Allocates nothing.
  template <typename Work>
  void Share(std::size_t rows, const Work& work, std::size_t least = kLeastRows) {
    const std::size_t parts = PartsOf(rows, least);
    std::unique_lock turn(turn_, std::defer_lock);
    if (parts < 2 || !turn.try_lock()) {
      work(Part{.begin = 0, .end = rows});
      return;
    }
    Run({.call = [](const void* self,
                    const Part& part) { (*static_cast<const Work*>(self))(part); },
         .work = &work,
         .rows = rows,
         .parts = parts});
  }

 private:
  struct Job {
    void (*call)(const void* work, const Part& part) = nullptr;
    const void* work = nullptr;
    std::size_t rows = 0;
    std::size_t parts = 0;
    void RunPart(std::size_t number) const {
      call(work, {rows * number / parts, rows * (number + 1) / parts, number});
    }
  };

  [[nodiscard]] std::size_t PartsOf(std::size_t rows, std::size_t least) const;
  void Run(const Job& job);
  void Help(std::size_t number);

  std::mutex turn_;  // of whoever shares
  std::mutex mutex_;
  std::condition_variable called_, finished_;
  Job job_;
  std::uint64_t jobs_ = 0;
  std::size_t unfinished_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace framelock::graph
