// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/core/log.h"
#include "pipeline/core/unique_fd.h"
#include "workers/main/arguments.h"
#include "workers/main/batch.h"
#include "workers/main/live.h"
#include "workers/main/offline.h"
#include "workers/nodes/abi/node_folder.h"
#include "workers/nodes/builtin.h"
#include "workers/nodes/workspace.h"

namespace framelock::worker {

namespace {

constexpr const char* kUsage = R"(Runs prompt graphs on frames.

  framelock-worker --socket-fd N [--die-with-parent PID] [--memory-limit-mb N] [--threads N]
      serves one host over its socket (workers/PROTOCOL.md); hosts start it so

  framelock-worker run --prompt FILE [--input FILE|--input-u8 FILE --shape B,H,W,C]
                       [--output FILE] [--output-u8 FILE] [--sink ID] [--outputs ID,ID]
                       [--convert] [--repeat N] [--threads N]
      runs a prompt on raw float32 (or 8-bit) frames; --sink picks one of several outputs,
      --convert treats LoadImage, SaveImage and so on as a live stream does
      exit status: 0 done, 1 invalid prompt or failed node, 2 usage

  framelock-worker validate --prompt FILE [--convert] [--outputs ID,ID]
      prints {"valid","error","good_outputs","node_errors"}; with --outputs, of these outputs only
      exit status: 0 valid, 1 invalid, 2 usage

  framelock-worker batch
      runs the commands of the standard input, one a line: ["validate","--prompt","FILE"]; after
      what each prints comes {"exit":STATUS}

  framelock-worker nodes
      prints every node class as ComfyUI's /object_info does; the word may also come last

A FILE of - is the standard input. Every command takes --fault-nodes (nodes that crash, hang and
lie, for tests), --log-level trace|debug|info|warn|error|off, and --workspace FOLDER: LoadImage,
LoadImageMask, SaveImage and PreviewImage read and write pictures in its folders input and output.
Without it they refuse every prompt; a stream's host may name another one for its prompts (cwd).
--nodes DIR, which may be repeated, adds the nodes of each *.so of the folder
(workers/nodes/abi/framelock_node.h); a file that cannot be taken is left out, and an error in the
log says why. --threads N, 1 to 64, 1 by default: so many share the pixels of each frame; the result
is the same.
)";

int Usage(const std::string& problem) {
  std::cerr << "framelock-worker: " << problem << "; try --help" << std::endl;
  return kOfflineUsage;
}

using Registry = std::shared_ptr<const graph::NodeRegistry>;

struct NodeSources {
  nodes::FaultNodes faults = nodes::FaultNodes::kAbsent;
  std::vector<std::string> folders;  // of shared objects
};

using OwnNodes = std::vector<graph::NodeClass>;

// What the shared objects hold. Once in a process: this runs their code.
Result<OwnNodes> LoadOwnNodes(const NodeSources& sources) {
  Result<graph::NodeRegistry> registry = nodes::BuiltinNodes(sources.faults);
  if (!registry.ok()) {
    return registry.error();
  }
  const std::size_t builtin = registry->classes().size();
  for (const std::string& path : sources.folders) {
    const Result<std::vector<Error>> left_out = nodes::LoadNodeFolder(path, *registry);
    if (!left_out.ok()) {
      return left_out.error();
    }
    for (const Error& error : *left_out) {
      spdlog::error("nodes left out: {}", error.message);
    }
  }
  OwnNodes own;
  for (const auto& node_class : std::span(registry->classes()).subspan(builtin)) {
    own.push_back(*node_class);
  }
  return own;
}

// Without a folder, without a workspace.
Result<Registry> MakeNodes(nodes::FaultNodes faults, const OwnNodes& own,
                           const std::optional<std::string>& folder, nodes::FolderLinks links) {
  std::shared_ptr<const nodes::Workspace> workspace;
  if (folder) {
    Result<std::shared_ptr<const nodes::Workspace>> opened =
        nodes::Workspace::Open(*folder, {}, links);
    if (!opened.ok()) {
      return opened.error();
    }
    workspace = std::move(*opened);
  }
  Result<graph::NodeRegistry> registry = nodes::BuiltinNodes(faults, workspace);
  if (!registry.ok()) {
    return registry.error();
  }
  for (const graph::NodeClass& node_class : own) {
    if (Status added = registry->Add(node_class); !added.ok()) {
      return added.error();
    }
  }
  return std::make_shared<const graph::NodeRegistry>(std::move(*registry));
}

enum class Command { kLive, kRun, kValidate, kBatch, kNodes };

std::optional<Command> ParseCommand(std::string_view name) {
  if (name == "run") {
    return Command::kRun;
  }
  if (name == "validate") {
    return Command::kValidate;
  }
  if (name == "batch") {
    return Command::kBatch;
  }
  return name == "nodes" ? std::optional(Command::kNodes) : std::nullopt;
}

OptionNames NamesOf(Command command) {
  OptionNames names;
  if (command == Command::kRun) {
    names = RunOptionNames();
  } else if (command == Command::kValidate) {
    names = ValidateOptionNames();
  } else if (command == Command::kLive) {
    names.values = {"--socket-fd", "--die-with-parent"};
  }
  if (command == Command::kLive || command == Command::kNodes) {
    // A host's command for its workers serves it for the list of nodes, too.
    names.values.insert(names.values.end(), {"--memory-limit-mb", "--threads"});
  }
  names.flags.insert(names.flags.end(), {"--fault-nodes", "--help", "--version"});
  names.values.insert(names.values.end(), {"--log-level", "--workspace"});
  names.lists = {"--nodes"};
  return names;
}

int Live(const Arguments& arguments, const NodeSources& sources) {
  LiveOptions options;
  auto own = std::make_shared<OwnNodes>();
  options.nodes = [sources, own, folder = arguments.Find("--workspace")]() -> Result<Registry> {
    Result<OwnNodes> loaded = LoadOwnNodes(sources);
    if (!loaded.ok()) {
      return loaded.error();
    }
    *own = std::move(*loaded);
    return MakeNodes(sources.faults, *own, folder, nodes::FolderLinks::kFollowed);
  };
  // A client chose it, below a folder that is the operator's.
  options.nodes_in = [faults = sources.faults, own](const std::string& folder) {
    return MakeNodes(faults, *own, folder, nodes::FolderLinks::kRefused);
  };
  const auto socket = arguments.FindNumber("--socket-fd");
  const auto parent = arguments.FindNumber("--die-with-parent");
  const auto memory = arguments.FindNumber("--memory-limit-mb");
  const std::pair<const char*, const Result<std::optional<std::int64_t>>*> numbers[] = {
      {"--socket-fd", &socket}, {"--die-with-parent", &parent}, {"--memory-limit-mb", &memory}};
  for (const auto& [name, number] : numbers) {
    if (!number->ok()) {
      return Usage(number->error().message);
    }
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    const std::int64_t value = number->value().value_or(0);
    if (value < 0 || value > kMost) {
      return Usage(std::string(name) + ": " + std::to_string(value) + " is not within 0 to " +
                   std::to_string(kMost));
    }
  }
  const auto threads = ThreadsIn(arguments);
  if (!threads.ok()) {
    return Usage(threads.error().message);
  }
  options.threads = *threads;
  if (!socket.value()) {
    return Usage("--socket-fd is missing, and no command is given");
  }
  options.socket = UniqueFd(static_cast<int>(*socket.value()));
  if (parent.value()) {
    options.die_with_parent = static_cast<pid_t>(*parent.value());
  }
  if (memory.value()) {
    options.memory_limit_bytes = static_cast<std::uint64_t>(*memory.value()) << 20;
  }
  return RunLive(std::move(options));
}

int Main(std::span<const char* const> words) {
  Command command = Command::kLive;
  // framelockd appends it to the worker command, whatever options that has.
  if (words.size() > 1 && words[0][0] == '-' && std::string_view(words.back()) == "nodes") {
    command = Command::kNodes;
    words = words.first(words.size() - 1);
  } else if (!words.empty() && !std::string_view(words[0]).starts_with('-')) {
    const std::optional<Command> named = ParseCommand(words[0]);
    if (!named) {
      return Usage("unknown command '" + std::string(words[0]) + "'");
    }
    command = *named;
    words = words.subspan(1);
  }
  const Result<Arguments> arguments = Arguments::Parse(words, NamesOf(command));
  if (!arguments.ok()) {
    return Usage(arguments.error().message);
  }
  if (arguments->Has("--help")) {
    std::cout << kUsage;
    return 0;
  }
  if (arguments->Has("--version")) {
    std::cout << "framelock-worker " FRAMELOCK_VERSION << std::endl;
    return 0;
  }
  const std::string level = arguments->Find("--log-level").value_or("info");
  if (const Status log = InitLog({.program = "framelock-worker", .level = level}); !log.ok()) {
    return Usage(log.error().message);
  }
  const NodeSources sources{.faults = arguments->Has("--fault-nodes") ? nodes::FaultNodes::kPresent
                                                                      : nodes::FaultNodes::kAbsent,
                            .folders = arguments->FindAll("--nodes")};
  if (command == Command::kLive) {
    return Live(*arguments, sources);
  }
  const Result<OwnNodes> own = LoadOwnNodes(sources);
  if (!own.ok()) {
    return Usage(own.error().message);
  }
  const Result<Registry> registry = MakeNodes(sources.faults, *own, arguments->Find("--workspace"),
                                              nodes::FolderLinks::kFollowed);
  if (!registry.ok()) {
    return Usage(registry.error().message);
  }
  switch (command) {
    case Command::kRun:
      return RunOffline(*arguments, **registry);
    case Command::kValidate:
      return ValidateOffline(*arguments, **registry);
    case Command::kBatch:
      return RunBatch(**registry);
    case Command::kNodes:
      return PrintNodes(**registry);
    case Command::kLive:
      break;
  }
  return kOfflineUsage;
}

}  // namespace

}  // namespace framelock::worker

int main(int argc, char** argv) {
  return framelock::worker::Main({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
}
