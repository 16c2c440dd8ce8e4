// SPDX-License-Identifier: Apache-2.0
#include "api/stream_registry.h"

#include <algorithm>
#include <vector>

namespace framelock::api {

net::Task<Result<PromptVerdict>> StreamRegistry::Start(stream::StreamConfig config,
                                                       std::string prompt, StreamPlan plan) {
  if (closed_) co_return Error{ErrorCode::kUnavailable, "the server is shutting down"};
  const std::string id = config.id;
  const std::shared_ptr<Stream> before = Find(id);
  if (before && !IsFinal(before->state())) {
    co_return Error{ErrorCode::kAlreadyExists, "Stream " + id + " already exists"};
  }
  if (active() >= options_.max_streams) {
    co_return Error{ErrorCode::kResourceLimit,
                    "all " + std::to_string(options_.max_streams) + " streams are in use"};
  }
  ForgetOldest();
  const std::shared_ptr<Stream> stream =
      Stream::Create(around_, std::move(config), std::move(prompt), std::move(plan));
  streams_.insert_or_assign(id, stream);
  Result<PromptVerdict> up = co_await stream->Start();
  // Whoever stops a stream takes its record away.
  const bool stopped = !up && up.error().code == ErrorCode::kCancelled;
  if (!stopped && !(up && up->applied)) {
    const auto mine = streams_.find(id);
    if (mine != streams_.end() && mine->second == stream) {
      if (before) {
        mine->second = before;
      } else {
        streams_.erase(mine);
      }
    }
  }
  co_return up;
}

net::Task<bool> StreamRegistry::Stop(std::string id) {
  const std::shared_ptr<Stream> stream = Find(id);
  if (!stream) co_return false;
  co_await End(stream);
  co_return true;
}

// Its id may be another stream's by the time that it has ended.
net::Task<> StreamRegistry::End(std::shared_ptr<Stream> stream) {
  co_await stream->Stop();
  const auto mine = streams_.find(stream->config().id);
  if (mine != streams_.end() && mine->second == stream) streams_.erase(mine);
}

net::Task<std::size_t> StreamRegistry::StopAll() {
  const std::size_t ran = active();
  const auto all = streams_;
  // Each is asked first, then all are waited for.
  for (const auto& [id, stream] : all) stream->RequestStop();
  for (const auto& [id, stream] : all) co_await End(stream);
  co_return ran;
}

net::Task<> StreamRegistry::Close() {
  closed_ = true;
  co_await StopAll();
}

std::shared_ptr<Stream> StreamRegistry::Find(const std::string& id) const {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second;
}

std::size_t StreamRegistry::active() const {
  return static_cast<std::size_t>(
      std::count_if(streams_.begin(), streams_.end(),
                    [](const auto& entry) { return !IsFinal(entry.second->state()); }));
}

// Keeps room for one more ended stream.
void StreamRegistry::ForgetOldest() {
  while (streams_.size() - active() > options_.max_ended) {
    auto oldest = streams_.end();
    for (auto it = streams_.begin(); it != streams_.end(); ++it) {
      if (!IsFinal(it->second->state())) continue;
      if (oldest == streams_.end() || it->second->created() < oldest->second->created()) {
        oldest = it;
      }
    }
    streams_.erase(oldest);
  }
}

}  // namespace framelock::api
