// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "workers/host/frame_region.h"
#include "workers/host/worker_client.h"
#include "workers/host/worker_process.h"

namespace framelock::host {

// A worker process and its near side, driven step by step as an element would, with every wait
// bounded.
class WorkerSession {
 public:
  using Event = WorkerClient::Event;

  static std::unique_ptr<WorkerSession> Start(const WorkerCommand& command) {
    auto spawned = SpawnWorker(command);
    EXPECT_TRUE(spawned) << spawned.error().message;
    if (!spawned) return nullptr;
    auto session = Join(std::move(spawned->socket));
    if (session) session->process = std::move(spawned->process);
    return session;
  }

  // As a further host of a worker whose process is another session's.
  static std::unique_ptr<WorkerSession> Join(PacketSocket socket) {
    auto client = WorkerClient::Greet(std::move(socket));
    EXPECT_TRUE(client) << client.error().message;
    if (!client) return nullptr;
    auto session = std::unique_ptr<WorkerSession>(new WorkerSession);
    session->client = std::move(*client);
    return session;
  }

  // The next event, or the error that ended the conversation.
  Result<Event> Next(std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      if (process) process->DrainStderr();
      auto event = client->Receive();
      if (!event) return event.error();
      if (event->has_value()) return std::move(**event);
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return Error{ErrorCode::kTimeout, "no event in time"};
      pollfd fds[] = {{.fd = client->fd(), .events = POLLIN, .revents = 0},
                      {.fd = process ? process->stderr_fd() : -1, .events = POLLIN, .revents = 0}};
      ::poll(fds, 2, static_cast<int>(left.count()));
    }
  }

  template <typename Kind>
  Kind Expect() {
    auto event = Next();
    EXPECT_TRUE(event) << event.error().message;
    if (event && std::holds_alternative<Kind>(*event)) return std::get<Kind>(std::move(*event));
    if (event && std::holds_alternative<WorkerClient::PromptRejected>(*event)) {
      ADD_FAILURE() << std::get<WorkerClient::PromptRejected>(*event).errors_json;
    }
    ADD_FAILURE() << "not the expected event";
    return {};
  }

  WorkerClient::PromptApplied Apply(std::uint64_t revision, const std::string& prompt) {
    const auto sent = client->SetPrompt(revision, prompt);
    EXPECT_TRUE(sent) << sent.error().message;
    return Expect<WorkerClient::PromptApplied>();
  }

  WorkerClient::Attached Attach(FrameRegion::Options options) {
    options.generation = ++generation_;
    auto made = FrameRegion::Create(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    region = std::move(*made);
    const auto sent = client->Attach(region->layout(), region->memory());
    EXPECT_TRUE(sent) << sent.error().message;
    return Expect<WorkerClient::Attached>();
  }

  // Writes a frame whose bytes depend on place and `seed`, and submits it. Rows without padding
  // only.
  void Submit(std::uint64_t sequence, std::uint8_t seed) {
    Submit(sequence, [seed](std::span<std::byte> bytes) {
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = Pattern(i, seed);
    });
  }
  // The same with what `write` writes.
  void Submit(std::uint64_t sequence, const std::function<void(std::span<std::byte>)>& write) {
    const auto input = region->AcquireInput();
    const auto output = region->AcquireOutput();
    ASSERT_TRUE(input && output);
    write(region->input(*input));
    ASSERT_TRUE(region->MarkSubmitted(*input, *output));
    ASSERT_TRUE(client->Submit({sequence}, *input, *output));
    slots_.emplace_back(sequence, *input);
  }

  // Takes the answer to the oldest frame and gives its slots back; the output bytes as they were.
  std::pair<protocol::Completed, std::vector<std::byte>> Complete() {
    const auto completed = Expect<protocol::Completed>();
    if (slots_.empty() || slots_.front().first != completed.sequence) {
      ADD_FAILURE() << "not the oldest frame";
      return {};
    }
    const auto input = slots_.front().second;
    slots_.erase(slots_.begin());
    EXPECT_TRUE(region->MarkDone(input, completed.output_slot));
    const auto bytes = region->output(completed.output_slot);
    std::vector<std::byte> copy(bytes.begin(), bytes.end());
    EXPECT_TRUE(region->ReleaseInput(input));
    EXPECT_TRUE(region->ReleaseOutput(completed.output_slot));
    return {completed, std::move(copy)};
  }

  static std::byte Pattern(std::size_t i, std::uint8_t seed) {
    return static_cast<std::byte>((i * 31 + i / 253 + seed * 17U) & 0xFF);
  }

  std::unique_ptr<process::ChildProcess> process;
  std::unique_ptr<WorkerClient> client;
  std::shared_ptr<FrameRegion> region;

 private:
  WorkerSession() = default;
  std::uint64_t generation_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> slots_;
};

}  // namespace framelock::host
