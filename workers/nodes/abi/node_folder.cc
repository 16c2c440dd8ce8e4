// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/abi/node_folder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pipeline/core/unique_fd.h"
#include "workers/nodes/abi/abi_node.h"

/// What one library adds, while its framelock_nodes_v1 runs.
struct framelock_registry {
  const std::string& module;
  const framelock::graph::NodeRegistry& known;
  std::vector<framelock::graph::NodeClass> added;
  std::string error;  // the first
};

namespace framelock::nodes {

namespace {

constexpr const char* kEntry = "framelock_nodes_v1";

Status Add(framelock_registry& registry, const framelock_class& given, const framelock_host& host) {
  Result<graph::NodeClass> made = MakeAbiClass(given, host, registry.module);
  if (!made.ok()) {
    return made.error();
  }
  const std::string& name = made->spec.class_type;
  const bool twice = std::ranges::any_of(
      registry.added, [&](const graph::NodeClass& other) { return other.spec.class_type == name; });
  if (twice || registry.known.Find(name) != nullptr) {
    return Error{ErrorCode::kAlreadyExists, "class " + name + ": there is one of that name"};
  }
  registry.added.push_back(std::move(*made));
  return {};
}

int AddClass(framelock_registry* registry, const framelock_class* given) noexcept;

constexpr framelock_host kHost = {.size = sizeof(framelock_host),
                                  .add_class = AddClass,
                                  .make_tensor = MakeTensor,
                                  .set_output = SetOutput,
                                  .set_error = SetError};

int AddClass(framelock_registry* registry, const framelock_class* given) noexcept {
  try {
    const Status added = Add(*registry, *given, kHost);
    if (!added.ok() && registry->error.empty()) {
      registry->error = added.error().message;
    }
    return added.ok() ? 0 : 1;
  } catch (...) {
    registry->error.assign("no memory");  // short enough to need none
    return 1;
  }
}

// While libraries are loaded, what they print goes to standard error, for standard output is the
// command's; and how this thread computes stays as it was, for they may be built to flush small
// numbers to zero.
class LoadingGuard {
 public:
  LoadingGuard() {
    std::fegetenv(&rules_);
    std::fflush(stdout);
    stdout_ = UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (stdout_) {
      ::dup2(STDERR_FILENO, STDOUT_FILENO);
    }
  }
  ~LoadingGuard() {
    std::fflush(stdout);
    if (stdout_) {
      ::dup2(stdout_.get(), STDOUT_FILENO);
    }
    std::fesetenv(&rules_);
  }
  LoadingGuard(const LoadingGuard&) = delete;
  LoadingGuard& operator=(const LoadingGuard&) = delete;

 private:
  std::fenv_t rules_{};
  UniqueFd stdout_;
};

// The library's own; dlsym looks into those that it needs, too.
void* EntryOf(void* library) {
  void* entry = ::dlsym(library, kEntry);
  Dl_info where{};
  link_map* map = nullptr;
  if (entry == nullptr || ::dladdr(entry, &where) == 0 ||
      ::dlinfo(library, RTLD_DI_LINKMAP, static_cast<void*>(&map)) != 0) {
    return nullptr;
  }
  return std::string_view(where.dli_fname) == map->l_name ? entry : nullptr;
}

Status LoadLibrary(const std::filesystem::path& file, graph::NodeRegistry& registry) {
  const LoadingGuard guard;
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::kInvalidArgument, ::dlerror()};
  }
  void* entry = EntryOf(library);
  if (entry == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string("it exports no ") + kEntry +
                     ": it holds no nodes, or some for another version of the worker"};
  }
  return AddNodes(reinterpret_cast<framelock_nodes_entry>(entry), file.stem().string(), registry);
}

}  // namespace

Status AddNodes(framelock_nodes_entry entry, const std::string& module,
                graph::NodeRegistry& registry) {
  framelock_registry adding{module, registry, {}, {}};
  int status = 0;
  try {
    status = entry(&kHost, &adding);
  } catch (...) {
    return Error{ErrorCode::kInvalidArgument, std::string("an exception left ") + kEntry};
  }
  if (!adding.error.empty()) {
    return Error{ErrorCode::kInvalidArgument, adding.error};
  }
  if (status != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(kEntry) + " returned " + std::to_string(status)};
  }
  for (graph::NodeClass& node_class : adding.added) {
    if (Status added = registry.Add(std::move(node_class)); !added.ok()) {
      return added;
    }
  }
  return {};
}

Result<std::vector<Error>> LoadNodeFolder(const std::string& folder,
                                          graph::NodeRegistry& registry) {
  std::vector<std::filesystem::path> files;
  std::error_code problem;
  std::filesystem::directory_iterator entry(folder, problem);
  while (!problem && entry != std::filesystem::directory_iterator()) {
    if (entry->path().extension() == ".so") {
      files.push_back(entry->path());
    }
    entry.increment(problem);
  }
  if (problem) {
    return Error{ErrorCode::kInvalidArgument, "--nodes " + folder + ": " + problem.message()};
  }
  std::ranges::sort(files);
  std::vector<Error> left_out;
  for (const std::filesystem::path& file : files) {
    if (const Status loaded = LoadLibrary(file, registry); !loaded.ok()) {
      left_out.push_back({loaded.error().code, file.string() + ": " + loaded.error().message});
    }
  }
  return left_out;
}

}  // namespace framelock::nodes
