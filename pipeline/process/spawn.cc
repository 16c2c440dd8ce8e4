// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

namespace framelock::process {

namespace {

// Highest number that a descriptor may have in the child; sources are first moved above it.
constexpr int kMaxChildFd = 255;

// posix_spawn's two C objects, destroyed in any case.
struct FileActions {
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t actions;
};

struct Attributes {
  Attributes() {
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  posix_spawnattr_t attributes;
};

// Copies of the listed descriptors above every number that is a target, so that no dup2 in the
// child overwrites a source that is still needed or finds source == target (which would leave
// close-on-exec set).
Result<std::vector<std::pair<UniqueFd, int>>> MoveSourcesUp(
    const std::vector<std::pair<int, int>>& inherit) {
  std::vector<std::pair<UniqueFd, int>> moved;
  for (const auto& entry : inherit) {
    const int source = entry.first;
    const int target = entry.second;
    const auto same = [&](const auto& other) { return other.second == target; };
    if (target < 0 || target > kMaxChildFd || std::ranges::any_of(moved, same)) {
      return Error{ErrorCode::kInvalidArgument,
                   "inherit_fds: descriptor number " + std::to_string(target) +
                       " in the child is listed twice or not within 0 to " +
                       std::to_string(kMaxChildFd)};
    }
    UniqueFd copy(::fcntl(source, F_DUPFD_CLOEXEC, kMaxChildFd + 1));
    if (!copy) return ErrnoError("duplicate inherited descriptor " + std::to_string(source));
    moved.emplace_back(std::move(copy), target);
  }
  return moved;
}

void PlanFds(const std::vector<std::pair<UniqueFd, int>>& sources, int stderr_fd,
             posix_spawn_file_actions_t* actions) {
  // stderr first: if our own stdin is closed, the pipe may have got its number.
  if (stderr_fd >= 0) ::posix_spawn_file_actions_adddup2(actions, stderr_fd, STDERR_FILENO);
  ::posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  int highest = STDERR_FILENO;
  for (const auto& [source, target] : sources) {
    ::posix_spawn_file_actions_adddup2(actions, source.get(), target);
    highest = std::max(highest, target);
  }
  for (int fd = STDERR_FILENO + 1; fd < highest; ++fd) {
    const auto is_target = [fd](const auto& entry) { return entry.second == fd; };
    if (std::ranges::none_of(sources, is_target)) ::posix_spawn_file_actions_addclose(actions, fd);
  }
  ::posix_spawn_file_actions_addclosefrom_np(actions, highest + 1);
}

std::vector<std::string> Environment(const SpawnOptions& options) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto overrides = [&variable](const auto& extra) {
      return variable.compare(0, extra.first.size() + 1, extra.first + "=") == 0;
    };
    if (std::ranges::none_of(options.extra_env, overrides)) variables.push_back(variable);
  }
  for (const auto& [name, value] : options.extra_env) {
    variables.emplace_back(name).append("=").append(value);
  }
  return variables;
}

// From outside and after the start: posix_spawn has no attribute for it, and lowering our own for a
// moment would fail the other threads. A child that we may not limit keeps ours.
void LimitOpenFiles(pid_t pid, std::uint64_t soft) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(soft, limit.rlim_max);
  static_cast<void>(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr));
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<pid_t> SpawnProcess(const SpawnOptions& options, int stderr_fd) {
  if (options.argv.empty() || options.argv[0].empty()) {
    return Error{ErrorCode::kInvalidArgument, "argv: names no program"};
  }
  auto sources = MoveSourcesUp(options.inherit_fds);
  if (!sources) return sources.error();
  FileActions plan;
  PlanFds(*sources, stderr_fd, &plan.actions);
  const Attributes attributes;
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = Environment(options);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv[0].c_str(), &plan.actions, &attributes.attributes,
                                    Pointers(argv).data(), Pointers(environment).data());
  if (failed != 0) {
    return Error{failed == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInternal,
                 "start " + argv[0] + ": " + std::generic_category().message(failed)};
  }
  if (options.open_file_limit) LimitOpenFiles(pid, *options.open_file_limit);
  return pid;
}

}  // namespace framelock::process
