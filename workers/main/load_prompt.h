// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "workers/graph/node_registry.h"
#include "workers/main/prompt_loader.h"
#include "workers/main/rehearsal.h"

namespace framelock::worker {

struct LoadOptions {
  graph::SessionOptions session;
  Rehearsals rehearsals;
};

/// Validates and loads a prompt and rehearses it, in the calling thread; what the job's prompt or
/// its nodes do wrong is a refusal. `registry` outlives the graph.
PromptLoader::Loaded LoadPrompt(const graph::NodeRegistry& registry, const LoadOptions& options,
                                PromptLoader::Job job);

/// A refusal that no node is to blame for, in the shape of the worker's protocol.
std::string ErrorDocument(const std::string& type, const std::string& message);

}  // namespace framelock::worker
