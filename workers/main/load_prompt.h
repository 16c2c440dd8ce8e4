// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "workers/graph/node_registry.h"
#include "workers/main/prompt_loader.h"
#include "workers/main/rehearsal.h"

namespace framelock::worker {

/// The node classes with this folder as their workspace; no part of its path may be a symbolic
/// link.
using NodesIn =
    std::function<Result<std::shared_ptr<const graph::NodeRegistry>>(const std::string& folder)>;

struct LoadOptions {
  graph::SessionOptions session;
  Rehearsals rehearsals;
  NodesIn nodes_in;  // for a job that brings a cwd; unset: such jobs are refused
};

/// Validates and loads a prompt and rehearses it, in the calling thread; what the job's prompt or
/// its nodes do wrong is a refusal. `registry`, for jobs without a cwd, outlives the graph.
PromptLoader::Loaded LoadPrompt(const graph::NodeRegistry& registry, const LoadOptions& options,
                                PromptLoader::Job job);

/// A refusal that no node is to blame for, in the shape of the worker's protocol.
std::string ErrorDocument(const std::string& type, const std::string& message);

}  // namespace framelock::worker
