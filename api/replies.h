// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "api/node_catalog.h"
#include "api/start_request.h"
#include "api/stream.h"
#include "api/stream_registry.h"
#include "api/update_request.h"
#include "pipeline/core/result.h"
#include "pipeline/net/http_server.h"

namespace framelock::api {

/// The answers of the control API: the keys are a contract with existing clients, so they stand in
/// one place.
net::HttpResponse JsonReply(unsigned status, const nlohmann::json& body);
/// {"error": message}, and "message" with more, where there is more.
net::HttpResponse ErrorReply(unsigned status, const std::string& message,
                             const std::string& more = {});
net::HttpResponse StreamNotFound(const std::string& id);

net::HttpResponse StartedReply(const StartRequest& request);
/// What a start answers that failed for another reason than its prompt. `retry_after` goes with a
/// 503, rounded up to seconds.
net::HttpResponse StartFailedReply(const std::string& id, const Error& error,
                                   std::chrono::nanoseconds retry_after);
net::HttpResponse PromptRejectedReply(const PromptVerdict& verdict);
net::HttpResponse UpdatedReply(const std::string& id, const UpdateRequest& request,
                               const PromptVerdict& verdict);
net::HttpResponse UpdateFailedReply(const Error& error, std::chrono::nanoseconds retry_after);
net::HttpResponse SwitchedReply(const std::string& id, const std::string& prompt_id);
net::HttpResponse SwitchFailedReply(const Error& error, std::chrono::nanoseconds retry_after);
net::HttpResponse StoppedReply(const std::string& id);
net::HttpResponse NothingToStopReply(const std::string& id);
net::HttpResponse AllStoppedReply(std::size_t count);
net::HttpResponse NoStreamsReply();
net::HttpResponse RestartedReply(const std::string& id);
net::HttpResponse RestartFailedReply(const std::string& id, const Error& error,
                                     std::chrono::nanoseconds retry_after);
net::HttpResponse StreamsReply(const StreamRegistry& registry);
net::HttpResponse CurrentStatusReply(const StreamRegistry& registry);
net::HttpResponse WorkerReply(const Stream& stream);
net::HttpResponse PromptsReply(const Stream& stream);
/// `workspace`: of workers whose stream names none.
net::HttpResponse WorkspaceReply(const Stream& stream, const std::optional<std::string>& workspace);
/// All node classes, as ComfyUI's /object_info; 503 while the list is waited for, 501 if there is
/// none.
net::HttpResponse ObjectInfoReply(const NodeCatalog& nodes);
net::HttpResponse TooManyReadersReply();
/// The same of one class; {} if it is unknown.
net::HttpResponse NodeInfoReply(const NodeCatalog& nodes, const std::string& name);
/// Name, version and the list of routes.
net::HttpResponse RootReply();

}  // namespace framelock::api
