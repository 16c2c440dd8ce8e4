// SPDX-License-Identifier: Apache-2.0
#include "api/node_listing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "api/watched_child.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/process/child_process.h"

namespace framelock::api {

namespace {

constexpr const char* kGoodEnd = "exit code 0";

struct Listing {
  std::unique_ptr<process::ChildProcess> child;
  UniqueFd output;
};

Result<Listing> Start(const host::WorkerCommand& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  UniqueFd output(ends[0]);
  const UniqueFd input(ends[1]);
  if (::fcntl(output.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoError("create a pipe");
  process::SpawnOptions options;
  options.argv = host::Located(command.argv);
  options.argv.emplace_back("nodes");
  options.inherit_fds = {{input.get(), STDOUT_FILENO}};
  options.open_file_limit = command.open_file_limit;
  auto child = process::ChildProcess::Spawn(options);
  if (!child) return child.error();
  return Listing{std::move(*child), std::move(output)};
}

// True once the pipe has ended.
Result<bool> ReadMore(int fd, std::size_t max_bytes, std::string& text) {
  std::array<char, 64 * 1024> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
  if (got < 0) return ErrnoError("read the list of nodes");
  if (text.size() + static_cast<std::size_t>(got) > max_bytes) {
    return Error{ErrorCode::kResourceLimit, "the worker command lists its nodes in more than " +
                                                std::to_string(max_bytes) + " bytes"};
  }
  text.append(buffer.data(), static_cast<std::size_t>(got));
  return got == 0;
}

net::Task<Status> ReadAll(int fd, std::size_t max_bytes, SteadyTime deadline, std::string& text) {
  net::ReadableWatch watch(fd);
  for (;;) {
    const auto left = deadline - Clock::System().Now();
    const Status readable = co_await watch.Wait(std::max(left, std::chrono::nanoseconds(0)));
    if (!readable) co_return readable;
    const Result<bool> ended = ReadMore(fd, max_bytes, text);
    if (!ended) co_return ended.error();
    if (*ended) co_return Status();
  }
}

Error EndedBadly(const Departure& departure) {
  std::string why =
      "the worker command lists no nodes: called with \"nodes\" it ended with " + departure.reason;
  if (!departure.tail.empty()) why += ", saying: " + departure.tail.back();
  return Error{ErrorCode::kUnavailable, std::move(why)};
}

}  // namespace

net::Task<Result<std::string>> ListNodes(net::Loop& loop, host::WorkerCommand command,
                                         NodeListingLimits limits) {
  const SteadyTime deadline = Clock::System().Now() + limits.timeout;
  Result<Listing> listing = Start(command);
  if (!listing) co_return listing.error();
  const auto changed = std::make_shared<net::Signal>(loop);
  const WatchedChild child(
      loop, std::move(listing->child),
      WatchedChild::Options{.label = "worker nodes", .changed = changed, .on_reaped = {}});
  std::string text;
  Status read = co_await ReadAll(listing->output.get(), limits.max_bytes, deadline, text);
  while (read && !child.departure() && Clock::System().Now() < deadline) {
    co_await changed->WaitFor(deadline - Clock::System().Now());
  }
  const bool late = read ? !child.departure() : read.error().code == ErrorCode::kTimeout;
  if (late) {
    co_return Error{ErrorCode::kTimeout, "the worker command did not list its nodes in time"};
  }
  if (!read) co_return read.error();
  if (child.departure()->reason != kGoodEnd) co_return EndedBadly(*child.departure());
  co_return text;
}

}  // namespace framelock::api
