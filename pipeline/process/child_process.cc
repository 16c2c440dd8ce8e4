// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/child_process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>

#include "pipeline/process/line_tail.h"
#include "pipeline/process/spawn.h"

namespace framelock::process {

namespace {

// Most bytes of stderr that one DrainStderr() reads, so that a flooding child cannot hold up its
// parent.
constexpr std::size_t kMaxDrainBytes = 256 * 1024;

Result<std::pair<UniqueFd, UniqueFd>> CreateStderrPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("create a stderr pipe");
  std::pair<UniqueFd, UniqueFd> pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Only our end: the child expects a stderr that waits for room.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return ErrnoError("create a stderr pipe");
  return pipe;
}

}  // namespace

struct ChildProcess::State {
  explicit State(std::size_t tail_lines) : tail(tail_lines, kMaxLineBytes) {}

  pid_t pid = 0;
  UniqueFd pidfd;
  UniqueFd stderr_end;
  LineTail tail;
  std::optional<ExitStatus> ended;  // set once reaped; the pid may belong to another then
};

ChildProcess::ChildProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::Spawn(const SpawnOptions& options) {
  auto state = std::make_unique<State>(options.stderr_tail_lines);
  UniqueFd child_end;
  if (options.capture_stderr) {
    auto pipe = CreateStderrPipe();
    if (!pipe) return pipe.error();
    state->stderr_end = std::move(pipe->first);
    child_end = std::move(pipe->second);
  }
  auto pid = SpawnProcess(options, child_end.get());
  if (!pid) return pid.error();
  state->pid = *pid;
  state->pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (!state->pidfd) {
    const Error error = ErrnoError("open a pidfd");
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return error;
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(state)));
}

ChildProcess::~ChildProcess() {
  Kill();
  // SIGKILL cannot be refused, so this ends; a process stuck in the kernel holds us up, rightly.
  while (!Wait(std::chrono::hours(1))) {
  }
}

pid_t ChildProcess::pid() const { return state_->pid; }
int ChildProcess::fd() const { return state_->pidfd.get(); }
int ChildProcess::stderr_fd() const { return state_->stderr_end.get(); }

bool ChildProcess::DrainStderr(const std::function<void(const std::string&)>& on_line) {
  if (!state_->stderr_end) return false;
  std::array<char, 16 * 1024> buffer;
  for (std::size_t total = 0; total < kMaxDrainBytes;) {
    const ssize_t got = ::read(state_->stderr_end.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (got <= 0) {
      state_->tail.Finish(on_line);
      state_->stderr_end.reset();
      return false;
    }
    state_->tail.Feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)), on_line);
    total += static_cast<std::size_t>(got);
  }
  return true;
}

std::vector<std::string> ChildProcess::stderr_tail() const { return state_->tail.lines(); }

std::optional<ExitStatus> ChildProcess::Poll() {
  if (state_->ended) return state_->ended;
  siginfo_t end{};
  const auto id = static_cast<id_t>(state_->pidfd.get());
  if (::waitid(P_PIDFD, id, &end, WEXITED | WNOHANG | WNOWAIT) == 0) {
    if (end.si_pid == 0) return std::nullopt;
    // It has ended but is not reaped yet, so its group's number cannot have been given to another:
    // now is the time to end what it left behind.
    ::kill(-state_->pid, SIGKILL);
  }
  ExitStatus status;
  if (::waitid(P_PIDFD, id, &end, WEXITED) == 0) {
    status.signalled = end.si_code != CLD_EXITED;
    status.code = end.si_status;
  } else {
    // Somebody else reaped it (SIGCHLD ignored in this process): the true code is unknown.
    status.code = 255;
  }
  state_->ended = status;
  return state_->ended;
}

std::optional<ExitStatus> ChildProcess::Wait(std::chrono::milliseconds timeout) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    if (auto status = Poll()) return status;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    left = std::min<std::chrono::milliseconds>(left, std::chrono::minutes(1));
    pollfd ended{.fd = fd(), .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, static_cast<int>(left.count()));
  }
}

void ChildProcess::Signal(int signal) const {
  if (state_->ended) return;
  ::syscall(SYS_pidfd_send_signal, fd(), signal, nullptr, 0);
}

void ChildProcess::Kill() const {
  if (state_->ended) return;
  ::kill(-state_->pid, SIGKILL);
  Signal(SIGKILL);  // it may have left its group
}

std::string OwnDirectory() {
  Dl_info object{};
  std::error_code ignored;
  std::filesystem::path path;
  // The program itself has a fixed name in /proc; dladdr only repeats its argv[0], which may be
  // relative to a directory that was left since.
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (::dladdr(reinterpret_cast<const void*>(&OwnDirectory), &object) != 0 &&
      object.dli_fname != nullptr) {
    path = std::filesystem::canonical(object.dli_fname, ignored);
  }
  const bool shared_object = path.filename().string().find(".so") != std::string::npos;
  return (shared_object ? path : program).parent_path().string();
}

}  // namespace framelock::process
