// SPDX-License-Identifier: Apache-2.0
// Of streams with a worker for each of their prompts.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/prompt_choice.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/api/stream_fixture.h"

namespace framelock::api {
namespace {

using std::chrono::milliseconds;

class StreamSwitchTest : public StreamTest {
 protected:
  static std::shared_ptr<Stream> Make(Stream::Surroundings& around,
                                      std::vector<std::string> further = {"B", "C"}) {
    return Stream::Create(around, Config("a"), "A",
                          StreamPlan(Architecture::kPerPrompt, std::move(further)));
  }

  FakeWorker::Record& Worker(std::size_t number) { return *house.workers.workers.at(number); }
  FakeMedia::Record& Media() { return *house.media.processes.back(); }

  // How many workers run that were given this prompt last.
  std::ptrdiff_t Running(const std::string& prompt) {
    return std::count_if(house.workers.workers.begin(), house.workers.workers.end(),
                         [&](const auto& worker) {
                           return !worker->departure && !worker->prompts.empty() &&
                                  worker->prompts.back().first == prompt;
                         });
  }

  static PromptSetUpdate Set(std::vector<std::string> prompts) {
    return PromptSetUpdate(std::move(prompts));
  }

  static std::string StateOf(const Stream& stream, const std::string& prompt) {
    for (const PromptWorkers::View& view : stream.prompts()->Views()) {
      if (view.id == PromptId(prompt)) return view.state;
    }
    return "unknown";
  }
};

TEST_F(StreamSwitchTest, AStartWarmsAWorkerForEachPrompt) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_TRUE(up && up->applied);
    EXPECT_EQ(house.workers.workers.size(), 3u);
    EXPECT_EQ(Running("A") + Running("B") + Running("C"), 3);
    EXPECT_EQ(Media().leases.size(), 1u);
    EXPECT_EQ(Media().leases[0].first, Worker(0).pid);
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("A"));
    EXPECT_EQ(StateOf(*stream, "B"), "ready");
    co_await stream->Stop();
    EXPECT_TRUE(Worker(0).departure && Worker(1).departure && Worker(2).departure);
  });
}

TEST_F(StreamSwitchTest, AStartWithABadPromptLeavesNothing) {
  house.workers.judge = [](const std::string& prompt, std::uint64_t revision) {
    return prompt == "C" ? Reject(prompt, revision) : Accept(prompt, revision);
  };
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_TRUE(up && !up->applied);
    EXPECT_EQ(stream->state(), StreamState::kFailed);
    for (const auto& worker : house.workers.workers) EXPECT_TRUE(worker->departure);
    EXPECT_TRUE(house.media.processes.empty());
  });
}

TEST_F(StreamSwitchTest, ASwitchPutsTheOtherWorkerToWorkAndKeepsTheOneBefore) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    const Status switched = co_await stream->SwitchPrompt(PromptId("B"));
    EXPECT_TRUE(switched) << switched.error().message;
    EXPECT_EQ(Media().switches.size(), 1u);
    EXPECT_EQ(Media().switches[0].first, Worker(1).pid);
    EXPECT_GT(Media().switches[0].second, Media().leases[0].second);
    EXPECT_EQ(stream->prompt().text(), "B");
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("B"));
    const bool warm = co_await Eventually([&] { return StateOf(*stream, "A") == "ready"; });
    EXPECT_TRUE(warm);
    EXPECT_EQ(house.workers.workers.size(), 3u);
    const Status back = co_await stream->SwitchPrompt(PromptId("A"));
    EXPECT_TRUE(back);
    EXPECT_EQ(Media().switches[1].first, Worker(0).pid);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, ToTheOneAtWorkNothingIsDone) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    const Status switched = co_await stream->SwitchPrompt(PromptId("A"));
    EXPECT_TRUE(switched);
    EXPECT_TRUE(Media().switches.empty());
    const Status unknown = co_await stream->SwitchPrompt("nonesuch");
    EXPECT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(unknown.error().message, "Prompt nonesuch not found");
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, ASwitchThatFailsChangesNothing) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Media().switch_applied = Media().switch_in_force = false;
    const Status switched = co_await stream->SwitchPrompt(PromptId("B"));
    EXPECT_FALSE(switched);
    EXPECT_EQ(switched.error().message, "it hangs");
    EXPECT_EQ(stream->prompt().text(), "A");
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("A"));
    EXPECT_FALSE(Worker(0).departure);
    const bool warm = co_await Eventually([&] { return StateOf(*stream, "B") == "ready"; });
    EXPECT_TRUE(warm);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, OtherSettingsAreAnotherWorkerForEachPrompt) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around, {"B"});
    co_await stream->Start();
    PromptSetUpdate update = Set({"A", "B"});
    update.worker.cwd = "/workspace";
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(update));
    EXPECT_TRUE(updated && updated->applied);
    EXPECT_EQ(house.workers.workers.size(), 4u);
    EXPECT_EQ(Media().switches.at(0).first, Worker(2).pid);
    EXPECT_EQ(Worker(2).settings.cwd, "/workspace");
    EXPECT_EQ(Worker(3).settings.cwd, "/workspace");
    EXPECT_EQ(stream->config().worker.cwd, "/workspace");
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("A"));
    EXPECT_EQ(stream->prompts()->Views().size(), 2u);
    const bool gone =
        co_await Eventually([&] { return Worker(0).departure && Worker(1).departure; });
    EXPECT_TRUE(gone);
    Worker(3).Depart("signal 11 (SIGSEGV)");
    const bool warm = co_await Eventually(
        [&] { return house.workers.workers.size() == 5 && StateOf(*stream, "B") == "ready"; });
    EXPECT_TRUE(warm);
    EXPECT_EQ(Worker(4).settings.cwd, "/workspace");
    const Status switched = co_await stream->SwitchPrompt(PromptId("B"));
    EXPECT_TRUE(switched);
    EXPECT_EQ(stream->config().worker.cwd, "/workspace");
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, SettingsThatAWorkerRefusesChangeNothing) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around, {"B"});
    co_await stream->Start();
    house.workers.judge = Reject;
    PromptSetUpdate update = Set({"A", "B"});
    update.worker.cwd = "/workspace";
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(update));
    EXPECT_TRUE(updated && !updated->applied);
    EXPECT_TRUE(Media().switches.empty());
    EXPECT_EQ(stream->config().worker.cwd, std::nullopt);
    EXPECT_EQ(StateOf(*stream, "B"), "ready");
    EXPECT_EQ(stream->prompts()->Views().size(), 2u);
    co_await stream->Stop();
  });
}

// Downstream may still get a frame of the one before: no success, but it is at work.
TEST_F(StreamSwitchTest, ASwitchInForceThatIsNotAppliedIsToldApart) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Media().switch_applied = false;
    const Status switched = co_await stream->SwitchPrompt(PromptId("B"));
    EXPECT_FALSE(switched);
    EXPECT_EQ(switched.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("B"));
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AMediaProcessThatDiesMeanwhileIsReplacedWithTheOldPrompt) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Media().silent_about_switches = true;
    std::optional<Status> switched;
    const auto call = [&]() -> net::Task<> {
      switched = co_await stream->SwitchPrompt(PromptId("B"));
    };
    house.loop.Spawn(call());
    const bool asked = co_await Eventually([&] { return !Media().switches.empty(); });
    EXPECT_TRUE(asked);
    Media().Depart("signal 11 (SIGSEGV)");
    const bool answered = co_await Eventually([&] { return switched.has_value(); });
    EXPECT_TRUE(answered && !*switched);
    const bool again = co_await Eventually([&] {
      return house.media.processes.size() == 2 && stream->state() == StreamState::kRunning;
    });
    EXPECT_TRUE(again);
    EXPECT_EQ(Media().leases[0].first, Worker(0).pid);
    EXPECT_EQ(stream->prompt().text(), "A");
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AStopDoesNotWaitForASwitch) {
  house.limits.prompt_timeout = std::chrono::seconds(60);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Media().silent_about_switches = true;
    std::optional<Status> switched;
    const auto call = [&]() -> net::Task<> {
      switched = co_await stream->SwitchPrompt(PromptId("B"));
    };
    house.loop.Spawn(call());
    const bool asked = co_await Eventually([&] { return !Media().switches.empty(); });
    EXPECT_TRUE(asked);
    co_await stream->Stop();
    EXPECT_TRUE(switched && !*switched);
    for (const auto& worker : house.workers.workers) EXPECT_TRUE(worker->departure);
  });
}

TEST_F(StreamSwitchTest, AWorkerThatDiesWaitingIsReplacedWithItsPrompt) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Worker(1).Depart("signal 11 (SIGSEGV)");
    const bool replaced = co_await Eventually([&] { return Running("B") == 1; });
    EXPECT_TRUE(replaced);
    EXPECT_EQ(house.workers.workers.size(), 4u);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    EXPECT_FALSE(Worker(0).departure);
    const Status switched = co_await stream->SwitchPrompt(PromptId("B"));
    EXPECT_TRUE(switched);
    EXPECT_EQ(Media().switches[0].first, Worker(3).pid);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AWorkerThatHangsWaitingIsReplaced) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Worker(2).heartbeat_age = std::chrono::seconds(3);
    const bool replaced =
        co_await Eventually([&] { return Worker(2).departure && Running("C") == 1; });
    EXPECT_TRUE(replaced);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, TheOneAtWorkIsReplacedAsEver) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    co_await stream->SwitchPrompt(PromptId("B"));
    Worker(1).Depart("signal 9 (SIGKILL)");
    const bool again = co_await Eventually([&] {
      return house.workers.workers.size() == 4 && stream->state() == StreamState::kRunning;
    });
    EXPECT_TRUE(again);
    EXPECT_EQ(Worker(3).prompts[0].first, "B");
    EXPECT_EQ(Media().leases.back().first, Worker(3).pid);
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("B"));
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AnUpdateReplacesTheWholeSet) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    PromptSetUpdate set = Set({"D", "B"});
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(set));
    EXPECT_TRUE(updated && updated->applied);
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("D"));
    EXPECT_EQ(Media().switches[0].first, Worker(3).pid);
    const bool gone =
        co_await Eventually([&] { return Worker(0).departure && Worker(2).departure; });
    EXPECT_TRUE(gone);
    EXPECT_FALSE(Worker(1).departure) << "B was there before";
    std::vector<std::string> ids;
    for (const PromptWorkers::View& view : stream->prompts()->Views()) ids.push_back(view.id);
    EXPECT_EQ(ids, (std::vector<std::string>{PromptId("D"), PromptId("B")}));
    co_await stream->Stop();
  });
}

// Each of them may load for as long as a prompt may.
TEST_F(StreamSwitchTest, ASetThatLoadsForLongIsPutToWorkNevertheless) {
  FakeClock clock;
  house.clock = &clock;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    Media().silent_about_switches = true;
    house.workers.judge = [&](const std::string& prompt, std::uint64_t revision) {
      clock.Advance(house.limits.prompt_timeout - milliseconds(1));
      return Accept(prompt, revision);
    };
    std::optional<Result<PromptVerdict>> updated;
    const auto call = [&]() -> net::Task<> {
      PromptSetUpdate set = Set({"D", "E"});
      updated = co_await stream->UpdatePrompts(std::move(set));
    };
    house.loop.Spawn(call());
    const bool asked = co_await Eventually([&] { return !Media().switches.empty(); });
    EXPECT_TRUE(asked);
    EXPECT_FALSE(Worker(3).departure);
    Media().Say({{"type", "switched"},
                 {"lease", Media().switches.at(0).second},
                 {"applied", true},
                 {"in_force", true}});
    const bool answered = co_await Eventually([&] { return updated.has_value(); });
    EXPECT_TRUE(answered && *updated && (*updated)->applied);
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("D"));
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AnUpdateBringsAnotherSizeAlong) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    const InputSize larger{768, 432};
    PromptSetUpdate set = Set({"B", "A"});
    set.width = 768;
    set.height = 432;
    Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(set));
    EXPECT_TRUE(updated && updated->applied);
    EXPECT_EQ(Media().switches.size(), 1u);
    EXPECT_EQ(Media().size, larger);
    EXPECT_EQ(stream->config().width, 768);
    // The prompt at work stays, and gets frames of another size.
    set = Set({"B", "A"});
    set.width = 640;
    updated = co_await stream->UpdatePrompts(std::move(set));
    EXPECT_TRUE(updated && updated->applied);
    EXPECT_EQ(Media().switches.size(), 1u);
    EXPECT_EQ(Media().prompts, std::vector<std::string>{"B"});
    const InputSize narrower{640, 432};
    EXPECT_EQ(Media().size, narrower);
    EXPECT_EQ(stream->config().height, 432);
    EXPECT_EQ(updated->revision, stream->prompt().revision());
    const Status switched = co_await stream->SwitchPrompt(PromptId("A"));
    EXPECT_TRUE(switched);
    EXPECT_EQ(Media().size, narrower);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, ARefusedUpdateChangesNothing) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    house.workers.judge = [](const std::string& prompt, std::uint64_t revision) {
      return prompt == "BAD" ? Reject(prompt, revision) : Accept(prompt, revision);
    };
    PromptSetUpdate set = Set({"D", "BAD"});
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(set));
    EXPECT_TRUE(updated && !updated->applied);
    EXPECT_TRUE(Media().switches.empty());
    EXPECT_EQ(stream->prompts()->Views().size(), 3u);
    const bool gone =
        co_await Eventually([&] { return Worker(3).departure && Worker(4).departure; });
    EXPECT_TRUE(gone);
    EXPECT_EQ(Running("A") + Running("B") + Running("C"), 3);
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, AnUpdateWithoutWorkersIsRefused) {
  house.limits.prompt_timeout = milliseconds(50);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around);
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    PromptSetUpdate set = Set({"D"});
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompts(std::move(set));
    EXPECT_FALSE(updated);
    EXPECT_EQ(updated.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(stream->prompt().text(), "A");
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, APromptThatKillsItsWorkersGivesWayToTheOneBefore) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Make(around, {"POISON"});
    co_await stream->Start();
    co_await stream->SwitchPrompt(PromptId("POISON"));
    for (std::size_t death = 1; death <= 2; ++death) {
      const auto at_work = std::find_if(
          house.workers.workers.rbegin(), house.workers.workers.rend(), [](const auto& worker) {
            return !worker->departure && worker->prompts.back().first == "POISON";
          });
      (*at_work)->Depart("signal 11 (SIGSEGV)");
      const bool again = co_await Eventually([&] {
        return Media().leases.size() == death + 1 && stream->state() == StreamState::kRunning;
      });
      EXPECT_TRUE(again);
    }
    EXPECT_EQ(stream->prompt().text(), "A");
    EXPECT_EQ(stream->prompts()->at_work(), PromptId("A"));
    EXPECT_EQ(Media().leases.back().first, Worker(0).pid) << "it was waiting";
    co_await stream->Stop();
  });
}

TEST_F(StreamSwitchTest, OfWhatTheMediaProcessSaysOnlyTheNewestCounts) {
  MediaReport report;
  const SteadyTime now{};
  using nlohmann::json;
  TakeMessage(json{{"type", "switched"}, {"lease", 3}, {"applied", true}}, now, report);
  EXPECT_TRUE(report.switch_applied && report.switch_in_force);
  TakeMessage(json{{"type", "switched"}, {"lease", 2}, {"applied", false}}, now, report);
  EXPECT_EQ(report.switched_lease, 3u);
  TakeMessage(json{{"type", "switched"},
                   {"lease", 4},
                   {"applied", "yes"},
                   {"errors", {{"error", {{"message", "late"}}}}}},
              now, report);
  EXPECT_FALSE(report.switch_applied || report.switch_in_force);
  EXPECT_EQ(report.switch_failure, "late");
  TakeMessage(json{{"type", "switched"}, {"lease", 5}, {"errors", 7}}, now, report);
  EXPECT_EQ(report.switch_failure, "no reason was given");
}

}  // namespace
}  // namespace framelock::api
