// SPDX-License-Identifier: Apache-2.0
#include "workers/main/load_prompt.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "workers/main/guarded.h"
#include "workers/main/prompt_settings.h"

namespace framelock::worker {

namespace {

using Registry = std::shared_ptr<const graph::NodeRegistry>;

// The node classes for these settings.
Result<Registry> NodesFor(const std::string& settings, const graph::NodeRegistry& registry,
                          const NodesIn& nodes_in) {
  const Result<PromptSettings> read = PromptSettings::Read(settings);
  if (!read) return read.error();
  if (!read->cwd) return Registry(Registry(), &registry);  // not ours
  if (!nodes_in) return Error{ErrorCode::kUnavailable, "cwd: this worker takes none"};
  Result<Registry> nodes = nodes_in(*read->cwd);
  if (!nodes) return Error{nodes.error().code, "cwd: " + nodes.error().message};
  return nodes;
}

}  // namespace

std::string ErrorDocument(const std::string& type, const std::string& message) {
  const nlohmann::json document = {{"error",
                                    {{"type", type},
                                     {"message", message},
                                     {"details", ""},
                                     {"extra_info", nlohmann::json::object()}}},
                                   {"node_errors", nlohmann::json::object()}};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

PromptLoader::Loaded LoadPrompt(const graph::NodeRegistry& registry, const LoadOptions& options,
                                PromptLoader::Job job) {
  PromptLoader::Loaded loaded;
  loaded.revision = job.revision;
  loaded.frame = job.frame;
  if (!job.session) {
    Result<Registry> nodes =
        Guarded([&] { return NodesFor(job.settings, registry, options.nodes_in); });
    if (!nodes) {
      loaded.errors_json = ErrorDocument("bad_settings", nodes.error().message);
      return loaded;
    }
    using Prepared = Result<std::optional<graph::Session::Rejected>>;
    const auto prepared = Guarded([&]() -> Prepared {
      auto session = graph::Session::Create(std::move(*nodes), options.session);
      if (!session) return session.error();
      job.session = std::move(*session);
      return job.session->Prepare(job.json);
    });
    if (!prepared) {
      loaded.errors_json = ErrorDocument("prompt_failed", prepared.error().message);
      return loaded;
    }
    if (prepared->has_value()) {
      loaded.errors_json = (*prepared)->errors_json;
      return loaded;
    }
  }
  if (job.frame) loaded.output = Rehearse(*job.session, *job.frame, options.rehearsals);
  loaded.session = std::move(job.session);
  return loaded;
}

}  // namespace framelock::worker
