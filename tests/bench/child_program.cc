// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>

namespace framelock::bench {
namespace {

constexpr std::string_view kReady = "listening on ";

// The URL of the line that says it; reads no further than that line.
Result<std::string> ReadUrl(int fd, std::chrono::milliseconds timeout, const std::string& program) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string text;
  for (;;) {
    const std::size_t begin = text.find(kReady);
    const std::size_t end = begin == text.npos ? text.npos : text.find('\n', begin);
    if (end != text.npos) {
      return text.substr(begin + kReady.size(), end - begin - kReady.size());
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) <= 0) {
      return Error{ErrorCode::kTimeout, program + " did not say where it listens"};
    }
    std::array<char, 512> piece;
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got <= 0) return Error{ErrorCode::kUnavailable, program + " ended at its start"};
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

std::vector<std::string> DyingWithUs(std::vector<std::string> argv) {
  argv.insert(argv.begin(), {"setpriv", "--pdeathsig", "KILL", "--"});
  return argv;
}

Result<std::unique_ptr<ChildProgram>> ChildProgram::StartServer(const Options& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  UniqueFd near(ends[0]);
  const UniqueFd far(ends[1]);
  process::SpawnOptions spawn{.argv = DyingWithUs(options.argv),
                              .inherit_fds = {{far.get(), STDOUT_FILENO}},
                              .extra_env = options.extra_env,
                              .capture_stderr = false};
  auto process = process::ChildProcess::Spawn(spawn);
  if (!process) return process.error();
  auto url = ReadUrl(near.get(), options.ready_timeout, options.argv.front());
  if (!url) return url.error();
  return std::unique_ptr<ChildProgram>(
      new ChildProgram(std::move(*process), std::move(near), std::move(*url)));
}

}  // namespace framelock::bench
