// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>  // Boost 1.74 forgets it: must come first

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "pipeline/core/result.h"

namespace framelock::net {

/// A coroutine on a Loop. co_await it from another Task, or start it with Loop::Spawn.
template <typename T = void>
using Task = boost::asio::awaitable<T>;

/// One event loop: one thread runs it, and everything made on it lives on that thread, so its users
/// need no locks. Post() and Stop() may be called from any thread.
class Loop {
 public:
  Loop();
  ~Loop();

  /// Runs until Stop(); once in a Loop's life. Returns after every coroutine's frame has been
  /// destroyed (what it borrows must live till then), also those Run() never got to.
  void Run();
  void Stop();
  /// Work that comes after Stop() is dropped; an exception that leaves it is logged.
  void Post(std::function<void()> work);
  /// Starts a coroutine; an exception that leaves it is logged and ends only that coroutine.
  void Spawn(Task<> task);

  boost::asio::io_context& context() { return context_; }

 private:
  // Asio destroys what still waits when its context goes; this one lets Run() ask for it earlier.
  struct Context : boost::asio::io_context {
    using boost::asio::io_context::execution_context::shutdown;
  };
  Context context_;
};

/// Suspends the calling coroutine.
Task<> SleepFor(std::chrono::nanoseconds duration);

/// Waits until a descriptor is readable, as often as asked. Registers a duplicate with the loop at
/// the first Wait and keeps it, so that the descriptor stays the caller's and several may watch it;
/// it must be open until then. Loop thread only; one waiter at a time, which it must outlive.
class ReadableWatch {
 public:
  explicit ReadableWatch(int fd) : fd_(fd) {}
  ~ReadableWatch();
  ReadableWatch(const ReadableWatch&) = delete;
  ReadableWatch& operator=(const ReadableWatch&) = delete;

  /// kTimeout after `timeout`; kInternal if it cannot be registered, which the next call tries
  /// again.
  Task<Status> Wait(std::chrono::nanoseconds timeout = std::chrono::hours(24 * 365));

 private:
  struct State;
  Status Register(const boost::asio::any_io_executor& executor);

  const int fd_;
  std::shared_ptr<State> state_;  // null until registered; shared with its handler
};

/// A condition that coroutines of one loop wait on. Notifications are not remembered: test your
/// predicate, then wait. Loop thread only.
class Signal {
 public:
  explicit Signal(Loop& loop);
  ~Signal();
  void NotifyAll();
  Task<> Wait();
  /// False when `timeout` passed first.
  Task<bool> WaitFor(std::chrono::nanoseconds timeout);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// Runs `on_signal` on the loop for SIGINT and SIGTERM, until destroyed.
class ShutdownSignals {
 public:
  ShutdownSignals(Loop& loop, std::function<void(int)> on_signal);
  ~ShutdownSignals();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace framelock::net
