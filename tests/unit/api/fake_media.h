// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/media_process.h"
#include "pipeline/core/clock.h"
#include "pipeline/net/loop.h"
#include "tests/unit/api/judge.h"

namespace framelock::api {

class FakeMedia final : public MediaProcess {
 public:
  struct Record {
    pid_t pid = 0;
    stream::StreamConfig config;
    MediaReport report;
    std::vector<std::pair<int, std::uint64_t>> leases;
    std::vector<std::pair<int, std::uint64_t>> switches;
    bool switch_applied = true;
    bool switch_in_force = true;
    bool silent_about_switches = false;
    std::vector<std::string> prompts;
    stream::WorkerSettings worker;  // with the last prompt
    InputSize size;                 // of the worker lent last, or of the prompt sent since
    std::uint64_t last_request = 0;
    std::vector<int> signals;
    bool stop_requested = false;
    bool ignores_stop = false;
    bool silent_about_prompts = false;
    bool line_closed = false;
    std::uint64_t revision = 1;
    Judge judge = Accept;
    std::optional<Departure> departure;
    std::shared_ptr<net::Signal> changed;
    std::shared_ptr<TextFeed> texts;

    void Depart(std::string reason) {
      if (departure) return;
      departure.emplace();
      departure->reason = std::move(reason);
      changed->NotifyAll();
    }
    void Say(const nlohmann::json& message) {
      TakeMessage(message, Clock::System().Now(), report);
      texts->Take(message);
      changed->NotifyAll();
    }
  };

  explicit FakeMedia(std::shared_ptr<Record> record) : record_(std::move(record)) {}

  [[nodiscard]] pid_t pid() const override { return record_->pid; }
  [[nodiscard]] const MediaReport& report() const override { return record_->report; }
  Status LendWorker(int socket, std::uint64_t lease, InputSize size) override {
    record_->size = size;
    record_->leases.emplace_back(socket, lease);
    return {};
  }
  Status SwitchWorker(int socket, std::uint64_t lease, InputSize size) override {
    if (record_->line_closed) return Error{ErrorCode::kClosed, "the line is closed"};
    record_->switches.emplace_back(socket, lease);
    record_->size = size;
    if (record_->silent_about_switches) return {};
    nlohmann::json answer = {{"type", "switched"},
                             {"lease", lease},
                             {"applied", record_->switch_applied},
                             {"in_force", record_->switch_in_force}};
    if (!record_->switch_applied) answer["errors"] = {{"error", "it hangs"}};
    record_->Say(answer);
    return {};
  }
  Status SendPrompt(std::uint64_t request, const std::string& text,
                    const GraphSettings& settings) override {
    if (record_->line_closed) return Error{ErrorCode::kClosed, "the line is closed"};
    record_->prompts.push_back(text);
    record_->worker = settings.worker;
    record_->size = settings.size;
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
                                              std::shared_ptr<net::Signal> changed,
                                              std::shared_ptr<TextFeed> texts) override {
    auto record = std::make_shared<FakeMedia::Record>();
    record->pid = static_cast<pid_t>(2000 + processes.size());
    record->config = config;
    record->changed = std::move(changed);
    record->texts = std::move(texts);
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

}  // namespace framelock::api
