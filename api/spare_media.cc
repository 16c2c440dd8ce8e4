// SPDX-License-Identifier: Apache-2.0
#include "api/spare_media.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace framelock::api {

namespace {

constexpr int kConfigFd = 3;
constexpr int kControlFd = 4;

}  // namespace

Result<SpareMedia> SpareMedia::Start(const Command& command) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoError("create a socket pair for a configuration");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  auto pair = PacketSocket::CreatePair();
  if (!pair) return pair.error();
  process::SpawnOptions options;
  options.argv = command.argv;
  options.open_file_limit = command.open_file_limit;
  for (const std::string& argument :
       {std::string("--config-fd"), std::to_string(kConfigFd), std::string("--control-fd"),
        std::to_string(kControlFd), std::string("--die-with-parent"), std::to_string(::getpid())}) {
    options.argv.push_back(argument);
  }
  options.inherit_fds = {{theirs.get(), kConfigFd}, {pair->second.fd(), kControlFd}};
  auto child = process::ChildProcess::Spawn(options);
  if (!child) return child.error();
  return SpareMedia(std::move(*child), std::move(pair->first), std::move(ours));
}

Result<SpareMedia::Running> SpareMedia::Configure(const std::string& config) {
  if (const auto ended = child_->Poll()) {
    return Error{ErrorCode::kClosed,
                 "the waiting framelock-stream has ended: " + ended->ToString()};
  }
  // It fits the socket's buffer many times; one that does not is a failure like any other.
  const ssize_t sent =
      ::send(config_.get(), config.data(), config.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return ErrnoError("configure a framelock-stream");
  if (static_cast<std::size_t>(sent) != config.size()) {
    return Error{ErrorCode::kResourceLimit, "the configuration is too long"};
  }
  config_.reset();
  return Running{std::move(child_), std::move(line_)};
}

}  // namespace framelock::api
