// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/prompt_line.h"

#include <utility>

#include "pipeline/core/thread_name.h"

namespace framelock::stream {

PromptLine::PromptLine(Apply apply, EventFd wake)
    : apply_(std::move(apply)), wake_(std::move(wake)), thread_([this] { Run(); }) {}

PromptLine::~PromptLine() {
  requests_.Close();
  replies_.Close();
  thread_.join();
}

Result<std::unique_ptr<PromptLine>> PromptLine::Create(Apply apply) {
  Result<EventFd> wake = EventFd::Create();
  if (!wake) return wake.error();
  return std::unique_ptr<PromptLine>(new PromptLine(std::move(apply), std::move(*wake)));
}

bool PromptLine::Submit(Request request) {
  return requests_.Push(std::move(request)) == PushStatus::kPushed;
}

std::optional<PromptLine::Reply> PromptLine::NextReply() {
  wake_.Drain();
  return replies_.TryPop();
}

void PromptLine::Run() {
  NameThread("prompt");
  while (std::optional<Request> request = requests_.Pop()) {
    const Kind kind = request->worker ? Kind::kWorker : Kind::kPrompt;
    Reply reply{request->number, kind, apply_(*request)};
    if (replies_.Push(std::move(reply)) == PushStatus::kClosed) return;
    wake_.Notify();
  }
}

}  // namespace framelock::stream
