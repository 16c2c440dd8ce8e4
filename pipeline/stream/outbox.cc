// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/outbox.h"

#include <poll.h>

#include <cstdio>

namespace framelock::stream {

Result<bool> Outbox::TrySend(const nlohmann::json& message) {
  if (channel_ == nullptr) {
    const std::string text =
        message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    return true;
  }
  const Status sent = channel_->Send(message);
  if (sent.ok()) return true;
  if (sent.error().code == ErrorCode::kUnavailable) return false;
  return sent.error();
}

Status Outbox::Say(nlohmann::json message) {
  if (messages_.size() >= kMaxWaiting) {
    return Error{ErrorCode::kResourceLimit, "framelockd does not read its control line"};
  }
  messages_.push_back(std::move(message));
  return Flush();
}

Status Outbox::SayStatus(nlohmann::json status) {
  status_ = nlohmann::json{{"type", "status"}, {"status", std::move(status)}};
  return Flush();
}

Status Outbox::SayText(nlohmann::json message) {
  if (texts_.size() >= max_texts_) {
    texts_.pop_front();
    ++dropped_texts_;
  }
  texts_.push_back(std::move(message));
  return Flush();
}

Result<bool> Outbox::TrySendAll(std::deque<nlohmann::json>& messages) {
  while (!messages.empty()) {
    Result<bool> sent = TrySend(messages.front());
    if (!sent || !*sent) return sent;
    messages.pop_front();
  }
  return true;
}

Status Outbox::Flush() {
  const Result<bool> all = TrySendAll(messages_);
  if (!all) return all.error();
  if (!*all) return {};
  if (status_) {
    const Result<bool> sent = TrySend(*status_);
    if (!sent) return sent.error();
    if (!*sent) return {};
    status_.reset();
  }
  const Result<bool> texts = TrySendAll(texts_);
  return texts ? Status() : texts.error();
}

void Outbox::Drain(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (Flush().ok() && waiting()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd entry{channel_->fd(), POLLOUT, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return;
  }
}

}  // namespace framelock::stream
