// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/stream_worker.h"
#include "pipeline/net/loop.h"
#include "tests/unit/api/judge.h"

namespace framelock::api {

class FakeWorker final : public StreamWorker {
 public:
  struct Record {
    pid_t pid = 0;
    std::vector<std::pair<std::string, std::uint64_t>> prompts;
    stream::WorkerSettings settings;  // with the last prompt
    std::vector<int> signals;
    bool socket_closed = false;
    bool ignores_close = false;
    std::optional<std::chrono::nanoseconds> heartbeat_age;
    std::optional<Departure> departure;
    std::shared_ptr<net::Signal> changed;

    void Depart(std::string reason) {
      if (departure) return;
      departure.emplace();
      departure->reason = std::move(reason);
      changed->NotifyAll();
    }
  };

  FakeWorker(std::shared_ptr<Record> record, Judge judge)
      : record_(std::move(record)), judge_(std::move(judge)) {}

  [[nodiscard]] pid_t pid() const override { return record_->pid; }
  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt,
                                           const stream::WorkerSettings& settings,
                                           std::uint64_t revision,
                                           std::chrono::nanoseconds) override {
    if (record_->departure) co_return Error{ErrorCode::kClosed, "the worker is gone"};
    record_->prompts.emplace_back(prompt, revision);
    record_->settings = settings;
    if (hangs) {
      while (!record_->departure) co_await record_->changed->Wait();
      co_return Error{ErrorCode::kClosed, "the worker is gone"};
    }
    co_return judge_(prompt, revision);
  }
  [[nodiscard]] int socket() const override { return record_->pid; }
  void CloseSocket() override {
    record_->socket_closed = true;
    if (!record_->ignores_close) record_->Depart("exit code 0");
  }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> HeartbeatAge() const override {
    return record_->heartbeat_age;
  }
  void Signal(int signal) override { record_->signals.push_back(signal); }
  void Kill() override { record_->Depart("signal 9 (SIGKILL)"); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return record_->departure;
  }

  bool hangs = false;

 private:
  std::shared_ptr<Record> record_;
  Judge judge_;
};

class FakeWorkers final : public WorkerSource {
 public:
  Result<std::unique_ptr<StreamWorker>> TryTake(const std::string&,
                                                std::shared_ptr<net::Signal> changed) override {
    if (refusals > 0) {
      --refusals;
      return Error{refusal_code, "no worker"};
    }
    auto record = std::make_shared<FakeWorker::Record>();
    record->pid = static_cast<pid_t>(1000 + workers.size());
    record->changed = std::move(changed);
    record->ignores_close = ignore_close;
    workers.push_back(record);
    auto worker = std::make_unique<FakeWorker>(record, judge);
    worker->hangs = hang;
    if (die_at_once) record->Depart("signal 11 (SIGSEGV)");
    return std::unique_ptr<StreamWorker>(std::move(worker));
  }

  [[nodiscard]] std::optional<std::chrono::nanoseconds> pause() const override {
    return refusals > 0 ? paused : std::nullopt;
  }

  Judge judge = Accept;
  bool hang = false;
  bool die_at_once = false;
  bool ignore_close = false;
  int refusals = 0;
  ErrorCode refusal_code = ErrorCode::kUnavailable;
  std::optional<std::chrono::nanoseconds> paused;  // while it refuses
  std::vector<std::shared_ptr<FakeWorker::Record>> workers;
};

}  // namespace framelock::api
