// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/media_process.h"
#include "api/stream.h"
#include "api/stream_worker.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

// Gives the loop turns until the predicate holds; false after five seconds.
inline net::Task<bool> Eventually(std::function<bool()> predicate) {
  const SteadyTime deadline = Clock::System().Now() + std::chrono::seconds(5);
  while (!predicate() && Clock::System().Now() < deadline) {
    co_await net::SleepFor(std::chrono::nanoseconds(0));
  }
  co_return predicate();
}

// How the next fake worker judges prompts.
using Judge = std::function<PromptVerdict(const std::string& prompt, std::uint64_t revision)>;

inline PromptVerdict Accept(const std::string&, std::uint64_t revision) {
  PromptVerdict verdict;
  verdict.applied = true;
  verdict.revision = revision;
  return verdict;
}

inline PromptVerdict Reject(const std::string&, std::uint64_t revision) {
  PromptVerdict verdict;
  verdict.revision = revision;
  verdict.errors_json = R"({"error":{"type":"t","message":"missing input"},"node_errors":{}})";
  return verdict;
}

class FakeWorker final : public StreamWorker {
 public:
  struct Record {
    pid_t pid = 0;
    std::vector<std::pair<std::string, std::uint64_t>> prompts;
    std::vector<int> signals;
    bool socket_closed = false;
    bool ignores_close = false;
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
  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt, std::uint64_t revision,
                                           std::chrono::nanoseconds) override {
    if (record_->departure) co_return Error{ErrorCode::kClosed, "the worker is gone"};
    record_->prompts.emplace_back(prompt, revision);
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

  Judge judge = Accept;
  bool hang = false;
  bool die_at_once = false;
  bool ignore_close = false;
  int refusals = 0;
  ErrorCode refusal_code = ErrorCode::kUnavailable;
  std::vector<std::shared_ptr<FakeWorker::Record>> workers;
};

class FakeMedia final : public MediaProcess {
 public:
  struct Record {
    pid_t pid = 0;
    stream::StreamConfig config;
    MediaReport report;
    std::vector<std::pair<int, std::uint64_t>> leases;
    std::vector<std::string> prompts;
    std::uint64_t last_request = 0;
    std::vector<int> signals;
    bool stop_requested = false;
    bool ignores_stop = false;
    bool silent_about_prompts = false;
    std::uint64_t revision = 1;
    Judge judge = Accept;
    std::optional<Departure> departure;
    std::shared_ptr<net::Signal> changed;

    void Depart(std::string reason) {
      if (departure) return;
      departure.emplace();
      departure->reason = std::move(reason);
      changed->NotifyAll();
    }
    void Say(const nlohmann::json& message) {
      TakeMessage(message, Clock::System().Now(), report);
      changed->NotifyAll();
    }
  };

  explicit FakeMedia(std::shared_ptr<Record> record) : record_(std::move(record)) {}

  [[nodiscard]] pid_t pid() const override { return record_->pid; }
  [[nodiscard]] const MediaReport& report() const override { return record_->report; }
  Status LendWorker(int socket, std::uint64_t lease) override {
    record_->leases.emplace_back(socket, lease);
    return {};
  }
  Status SendPrompt(std::uint64_t request, const std::string& text) override {
    record_->prompts.push_back(text);
    record_->last_request = request;
    if (record_->silent_about_prompts) return {};
    const PromptVerdict verdict = record_->judge(text, record_->revision + 1);
    if (verdict.applied) record_->revision = verdict.revision;
    nlohmann::json result = {{"type", "prompt_result"},
                             {"request", request},
                             {"applied", verdict.applied},
                             {"revision", verdict.revision}};
    if (!verdict.applied) result["errors"] = nlohmann::json::parse(verdict.errors_json);
    record_->Say(result);
    return {};
  }
  Status RequestStop() override {
    record_->stop_requested = true;
    if (!record_->ignores_stop) record_->Depart("exit code 0");
    return {};
  }
  void Signal(int signal) override { record_->signals.push_back(signal); }
  void Kill() override { record_->Depart("signal 9 (SIGKILL)"); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return record_->departure;
  }

 private:
  std::shared_ptr<Record> record_;
};

class FakeMediaSource final : public MediaSource {
 public:
  Result<std::unique_ptr<MediaProcess>> Spawn(const stream::StreamConfig& config,
                                              std::shared_ptr<net::Signal> changed) override {
    auto record = std::make_shared<FakeMedia::Record>();
    record->pid = static_cast<pid_t>(2000 + processes.size());
    record->config = config;
    record->changed = std::move(changed);
    record->report.started = start;
    record->report.last_heard = Clock::System().Now();
    record->ignores_stop = ignore_stop;
    processes.push_back(record);
    if (die_at_once) record->Depart("exit code 1");
    return std::unique_ptr<MediaProcess>(std::make_unique<FakeMedia>(record));
  }

  bool start = true;
  bool die_at_once = false;
  bool ignore_stop = false;
  std::vector<std::shared_ptr<FakeMedia::Record>> processes;
};

// A loop, fakes around it, and short limits. Run() runs a coroutine to its end.
struct FakeHouse {
  FakeHouse() {
    using std::chrono::milliseconds;
    limits.restart.back_off = {milliseconds(0)};
    limits.ladder.cooperative = milliseconds(20);
    limits.ladder.term = milliseconds(20);
    limits.worker_timeout = milliseconds(50);
    limits.prompt_timeout = milliseconds(200);
    limits.media_timeout = milliseconds(50);
  }

  void Run(std::function<net::Task<>()> body) {
    loop.Spawn(RunAndStop(std::move(body)));
    loop.Run();
  }

  net::Loop loop;
  FakeWorkers workers;
  FakeMediaSource media;
  StreamLimits limits;

  Stream::Surroundings Around() { return {loop, workers, media, Clock::System(), limits}; }

 private:
  net::Task<> RunAndStop(std::function<net::Task<>()> body) {
    co_await body();
    loop.Stop();
  }
};

}  // namespace framelock::api
