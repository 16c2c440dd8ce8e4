// SPDX-License-Identifier: Apache-2.0
#include "api/worker_line.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "api/json_text.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/packet_socket.h"

namespace framelock::api {

namespace {

using host::WorkerClient;

Result<UniqueFd> DuplicateFd(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return ErrnoError("duplicate a worker's socket");
  return copy;
}

net::Task<Result<WorkerClient::Event>> NextEvent(WorkerClient& client, SteadyTime deadline) {
  net::ReadableWatch watch(client.fd());
  for (;;) {
    Result<std::optional<WorkerClient::Event>> event = client.Receive();
    if (!event) co_return event.error();
    if (*event) co_return std::move(**event);
    const auto left = deadline - Clock::System().Now();
    if (left.count() <= 0) co_return Error{ErrorCode::kTimeout, "no answer in time"};
    const Status readable = co_await watch.Wait(left);
    if (!readable && readable.error().code != ErrorCode::kTimeout) co_return readable.error();
  }
}

}  // namespace

Result<WorkerLine> WorkerLine::Of(std::unique_ptr<WorkerClient> client) {
  Result<UniqueFd> near = DuplicateFd(client->fd());
  if (!near) return near.error();
  WorkerLine line(std::move(*near));
  line.client_ = std::move(client);
  line.greeted_ = true;
  return line;
}

net::Task<Result<PromptVerdict>> WorkerLine::Prepare(const std::string& prompt,
                                                     const stream::WorkerSettings& settings,
                                                     std::uint64_t revision,
                                                     std::chrono::nanoseconds timeout) {
  busy_ = true;
  const std::string text = DumpJson(stream::ToJson(settings));
  Result<PromptVerdict> verdict =
      co_await Judge(prompt, text, revision, Clock::System().Now() + timeout);
  busy_ = false;
  // Its page is looked at still, until another host brings its own.
  if (client_) [[maybe_unused]]
    const PacketSocket ours = client_->Release();
  greeted_ = false;
  if (closed_) Close();
  co_return verdict;
}

net::Task<Result<PromptVerdict>> WorkerLine::Judge(const std::string& prompt,
                                                   const std::string& settings,
                                                   std::uint64_t revision, SteadyTime deadline) {
  const Status greeted = co_await Greet(deadline);
  if (!greeted) co_return greeted.error();
  if (client_->revision() == revision) {
    co_return PromptVerdict{.applied = true, .revision = revision, .errors_json = {}};
  }
  // What it runs may be newer than what we know: then our prompt gets a newer number still.
  const std::uint64_t next = std::max(revision, client_->revision() + 1);
  Result<PromptVerdict> judged = co_await SetPrompt(prompt, settings, next, deadline);
  co_return judged;
}

net::Task<Status> WorkerLine::Greet(SteadyTime deadline) {
  if (!greeted_) {
    Result<UniqueFd> copy = DuplicateFd(near_.get());
    if (!copy) co_return copy.error();
    Result<std::unique_ptr<WorkerClient>> greeted =
        WorkerClient::Greet(PacketSocket(std::move(*copy)));
    if (!greeted) co_return greeted.error();
    client_ = std::move(*greeted);
    greeted_ = true;
  }
  while (!client_->ready()) {
    const Result<WorkerClient::Event> event = co_await NextEvent(*client_, deadline);
    if (!event) co_return event.error();
  }
  co_return Status();
}

net::Task<Result<PromptVerdict>> WorkerLine::SetPrompt(const std::string& prompt,
                                                       const std::string& settings,
                                                       std::uint64_t revision,
                                                       SteadyTime deadline) {
  if (!client_->Takes(settings)) {
    co_return PromptVerdict{
        .applied = false, .revision = revision, .errors_json = host::kNoSettingsErrors};
  }
  const Status sent = client_->SetPrompt(revision, prompt, settings);
  if (!sent) co_return sent.error();
  for (;;) {
    Result<WorkerClient::Event> event = co_await NextEvent(*client_, deadline);
    if (!event) co_return event.error();
    if (std::holds_alternative<WorkerClient::PromptApplied>(*event)) {
      co_return PromptVerdict{.applied = true, .revision = revision, .errors_json = {}};
    }
    if (auto* rejected = std::get_if<WorkerClient::PromptRejected>(&*event)) {
      co_return PromptVerdict{
          .applied = false, .revision = revision, .errors_json = std::move(rejected->errors_json)};
    }
  }
}

void WorkerLine::Close() {
  closed_ = true;
  if (busy_) {
    ::shutdown(near_.get(), SHUT_RDWR);
    return;
  }
  client_.reset();
  near_.reset();
}

std::optional<std::chrono::nanoseconds> WorkerLine::HeartbeatAge() const {
  if (!client_) return std::nullopt;
  return client_->HeartbeatAge();
}

}  // namespace framelock::api
