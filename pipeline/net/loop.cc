// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/loop.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <list>
#include <optional>

#include "pipeline/core/log.h"
#include "pipeline/core/unique_fd.h"

namespace framelock::net {
namespace asio = boost::asio;
namespace {

// Keeps now + duration inside the clock's range.
std::chrono::nanoseconds Clamp(std::chrono::nanoseconds duration) {
  return std::min<std::chrono::nanoseconds>(duration, std::chrono::hours(24 * 365));
}

// Waits for the timer; cancelling it is an ordinary end of the wait.
Task<> AwaitTimer(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

Loop::Loop() = default;
Loop::~Loop() = default;

void Loop::Run() {
  const auto stay = asio::make_work_guard(context_);
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& error) {
      spdlog::error("an exception left posted work, the loop goes on: {}", error.what());
    }
  }
  context_.shutdown();
}

void Loop::Stop() { context_.stop(); }

void Loop::Post(std::function<void()> work) { asio::post(context_, std::move(work)); }

void Loop::Spawn(Task<> task) {
  asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("an exception ended a coroutine: {}", error.what());
    } catch (...) {
      spdlog::error("an unknown exception ended a coroutine");
    }
  });
}

Task<> SleepFor(std::chrono::nanoseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, Clamp(duration));
  co_await AwaitTimer(timer);
}

struct ReadableWatch::State {
  explicit State(const asio::any_io_executor& executor) : descriptor(executor), timer(executor) {}
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;
  std::uint64_t wait = 0;  // the current one: a handler of an earlier wait has come too late
  std::optional<boost::system::error_code> outcome;
};

ReadableWatch::~ReadableWatch() {
  boost::system::error_code ignored;
  if (state_) state_->descriptor.close(ignored);
}

Status ReadableWatch::Register(const asio::any_io_executor& executor) {
  UniqueFd duplicate(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (!duplicate) return ErrnoError("cannot wait on descriptor " + std::to_string(fd_));
  auto state = std::make_shared<State>(executor);
  boost::system::error_code failed;
  state->descriptor.assign(duplicate.get(), failed);
  if (failed) {
    return Error{ErrorCode::kInternal, "cannot wait on descriptor: " + failed.message()};
  }
  static_cast<void>(duplicate.release());
  state_ = std::move(state);
  return {};
}

Task<Status> ReadableWatch::Wait(std::chrono::nanoseconds timeout) {
  if (!state_) {
    const Status registered = Register(co_await asio::this_coro::executor);
    if (!registered.ok()) co_return registered;
  }
  const auto state = state_;
  state->outcome.reset();
  state->descriptor.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [state, wait = ++state->wait](const boost::system::error_code& error) {
        if (wait != state->wait) return;
        state->outcome = error;
        state->timer.cancel();
      });
  state->timer.expires_after(Clamp(timeout));
  co_await AwaitTimer(state->timer);
  if (!state->outcome) {
    boost::system::error_code ignored;
    state->descriptor.cancel(ignored);
    co_return Error{ErrorCode::kTimeout, "nothing to read within the time given"};
  }
  if (*state->outcome) {
    co_return Error{ErrorCode::kInternal, "waiting on a descriptor: " + state->outcome->message()};
  }
  co_return Status();
}

// Each waiter has a timer of its own, which a notification cancels: Asio of Boost 1.74 has no
// cheaper event for coroutines.
class Signal::Impl {
 public:
  explicit Impl(asio::io_context& context) : context_(context) {}

  void NotifyAll() {
    for (Waiter* waiter : waiters_) {
      waiter->notified = true;
      waiter->timer.cancel();
    }
  }

  static Task<bool> Wait(std::shared_ptr<Impl> self, std::chrono::nanoseconds timeout) {
    Waiter waiter(*self);
    waiter.timer.expires_after(Clamp(timeout));
    co_await AwaitTimer(waiter.timer);
    co_return waiter.notified;
  }

 private:
  // Unlinks itself, also when the loop's end destroys the frame it lives in.
  struct Waiter {
    explicit Waiter(Impl& owner)
        : signal(owner),
          timer(owner.context_),
          self(owner.waiters_.insert(owner.waiters_.end(), this)) {}
    ~Waiter() { signal.waiters_.erase(self); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    Impl& signal;
    asio::steady_timer timer;
    std::list<Waiter*>::iterator self;
    bool notified = false;
  };

  asio::io_context& context_;
  std::list<Waiter*> waiters_;
};

Signal::Signal(Loop& loop) : impl_(std::make_shared<Impl>(loop.context())) {}
Signal::~Signal() { impl_->NotifyAll(); }

void Signal::NotifyAll() { impl_->NotifyAll(); }

Task<> Signal::Wait() { co_await Impl::Wait(impl_, std::chrono::hours(24 * 365)); }

Task<bool> Signal::WaitFor(std::chrono::nanoseconds timeout) {
  co_return co_await Impl::Wait(impl_, timeout);
}

class ShutdownSignals::Impl : public std::enable_shared_from_this<ShutdownSignals::Impl> {
 public:
  Impl(Loop& loop, std::function<void(int)> on_signal)
      : signals_(loop.context()), on_signal_(std::move(on_signal)) {
    boost::system::error_code failed;
    for (const int number : {SIGINT, SIGTERM}) {
      signals_.add(number, failed);
      if (failed) spdlog::error("cannot wait for signal {}: {}", number, failed.message());
    }
  }

  void Arm() {
    signals_.async_wait(
        [self = shared_from_this()](const boost::system::error_code& error, int number) {
          if (error || !self->on_signal_) return;
          self->on_signal_(number);
          self->Arm();
        });
  }

  void Disarm() {
    on_signal_ = nullptr;
    boost::system::error_code ignored;
    signals_.clear(ignored);
    signals_.cancel(ignored);
  }

 private:
  asio::signal_set signals_;
  std::function<void(int)> on_signal_;
};

ShutdownSignals::ShutdownSignals(Loop& loop, std::function<void(int)> on_signal)
    : impl_(std::make_shared<Impl>(loop, std::move(on_signal))) {
  impl_->Arm();
}

ShutdownSignals::~ShutdownSignals() { impl_->Disarm(); }

}  // namespace framelock::net
