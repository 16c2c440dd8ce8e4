// SPDX-License-Identifier: Apache-2.0
// framelockd with its real worker and its real framelock-stream.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "tests/integration/api/daemon_rig.h"
#include "tests/support/open_api.h"

namespace framelock::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

json Prompt(const json& blur_radius) {
  return {{"1", {{"class_type", "LoadTensor"}, {"inputs", json::object()}}},
          {"2",
           {{"class_type", "ImageBlur"},
            {"inputs", {{"image", {"1", 0}}, {"blur_radius", blur_radius}, {"sigma", 1.0}}}}},
          {"3", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"2", 0}}}}}}};
}

pid_t WorkerOf(const DaemonRig& rig, const std::string& id) {
  const json pid = rig.Status(id)["worker"]["pid"];
  return pid.is_number() ? pid.get<pid_t>() : 0;
}

pid_t MediaOf(const DaemonRig& rig, const std::string& id) {
  const json pid = rig.Status(id)["media_pid"];
  return pid.is_number() ? pid.get<pid_t>() : 0;
}

// A worker and a media process that are kept ready.
constexpr std::size_t kSpares = 2;

// Only what is kept ready is left.
bool OnlySpare(const DaemonRig& rig, std::size_t spares = kSpares) {
  return Eventually([&] {
    return rig.Family().size() == spares && rig.Call("GET", "/health").body["ready_workers"] == 1;
  });
}

TEST(Framelockd, StartStatusStopLeaveNothing) {
  DaemonRig rig;
  ASSERT_TRUE(OnlySpare(rig));
  const auto started = rig.Start("a", {{"prompt", Prompt(3)}});
  ASSERT_EQ(started.status, 200) << started.body;
  EXPECT_EQ(started.body["message"], "Stream a started successfully");
  const std::set<pid_t> family = rig.Family();
  EXPECT_GE(family.size(), 2u);
  EXPECT_EQ(rig.Status("a")["running"], true);
  EXPECT_EQ(rig.Status("a")["account"]["inputs"], 0);
  EXPECT_EQ(rig.Start("a").status, 409);
  const pid_t worker = WorkerOf(rig, "a");
  const pid_t media = MediaOf(rig, "a");
  const auto stopped = rig.Call("POST", "/stream/a/stop", "not json");
  EXPECT_EQ(stopped.status, 200) << stopped.body;
  EXPECT_FALSE(Alive(worker));
  EXPECT_FALSE(Alive(media));
  EXPECT_EQ(rig.Call("GET", "/stream/a").status, 404);
  EXPECT_TRUE(OnlySpare(rig));
}

TEST(Framelockd, AStatusHoldsWhatTheDocumentSays) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a").status, 200);
  ASSERT_TRUE(Eventually([&] { return rig.Status("a")["input"].is_object(); }));
  const OpenApi document(rig.Call("GET", "/openapi.json").body);
  EXPECT_EQ(document.Differences("Status", rig.Status("a")), std::vector<std::string>());
}

TEST(Framelockd, DescriptorsReturnToTheBaseline) {
  DaemonRig rig;
  const auto cycle = [&](int i) {
    const std::string id = "s" + std::to_string(i);
    EXPECT_EQ(rig.Start(id).status, 200);
    EXPECT_EQ(rig.Call("DELETE", "/stream/" + id).status, 200);
  };
  cycle(0);
  ASSERT_TRUE(OnlySpare(rig));
  std::size_t before = 0;
  // The last connection of this test may still be closing.
  ASSERT_TRUE(Eventually([&] {
    const std::size_t now = OpenFds(rig.process().pid());
    return std::exchange(before, now) == now;
  }));
  for (int i = 1; i <= 5; ++i) cycle(i);
  ASSERT_TRUE(OnlySpare(rig));
  EXPECT_TRUE(Eventually([&] { return OpenFds(rig.process().pid()) <= before; }))
      << before << " then " << OpenFds(rig.process().pid());
}

TEST(Framelockd, ARefusedPromptIsA400WithNodeErrorsAndNothingRuns) {
  DaemonRig rig;
  ASSERT_TRUE(OnlySpare(rig));
  const auto answer = rig.Start("a", {{"prompt", Prompt(99)}});
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.body["error"], "Prompt validation failed");
  ASSERT_EQ(answer.body["validation_errors"].size(), 1u) << answer.body;
  EXPECT_EQ(answer.body["validation_errors"][0]["node_id"], "2");
  EXPECT_EQ(answer.body["validation_errors"][0]["error_type"], "value_bigger_than_max");
  EXPECT_EQ(answer.body["validation_errors"][0]["valid_options"], "INT");
  const json ui = {{"nodes", json::array()}, {"links", json::array()}, {"version", 0.4}};
  EXPECT_EQ(rig.Start("a", {{"prompt", ui}}).status, 400);
  EXPECT_EQ(rig.Call("GET", "/streams").body["count"], 0);
  EXPECT_TRUE(OnlySpare(rig));
}

TEST(Framelockd, PromptsAreReplacedAndRefusedWhileTheStreamRuns) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a").status, 200);
  const json good = {{"prompt", Prompt(3).dump()}};
  auto answer = rig.Call("POST", "/stream/a/update-prompts", good.dump());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body["prompt_revision"], 2);
  const json bad = {{"prompt", Prompt(99).dump()}};
  const auto began = std::chrono::steady_clock::now();
  answer = rig.Call("POST", "/stream/a/update-prompts", bad.dump());
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(1000));
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.body["validation_errors"][0]["error_type"], "value_bigger_than_max");
  EXPECT_EQ(rig.Status("a")["prompt_revision"], 2);
  EXPECT_EQ(rig.Call("GET", "/stream/a/prompts").body["active_prompt"], Prompt(3));
}

class WorkerFault : public testing::TestWithParam<int> {};

TEST_P(WorkerFault, ReplacesTheWorkerAndNothingElse) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a", {{"prompt", Prompt(3)}}).status, 200);
  ASSERT_EQ(rig.Start("b").status, 200);
  const pid_t victim = WorkerOf(rig, "a");
  const pid_t media = MediaOf(rig, "a");
  const pid_t neighbour = WorkerOf(rig, "b");
  ::kill(victim, GetParam());
  ASSERT_TRUE(Eventually([&] {
    const pid_t now = WorkerOf(rig, "a");
    return now != 0 && now != victim;
  })) << rig.Status("a");
  EXPECT_TRUE(Eventually([&] { return !Alive(victim); }));
  EXPECT_TRUE(Eventually([&] { return rig.Status("a")["worker"]["state"] == "ready"; }));
  EXPECT_EQ(rig.Status("a")["worker"]["restarts"], 1);
  EXPECT_EQ(rig.Status("a")["prompt_revision"], 1);
  EXPECT_EQ(MediaOf(rig, "a"), media);
  EXPECT_EQ(WorkerOf(rig, "b"), neighbour);
  EXPECT_EQ(rig.Status("b")["worker"]["restarts"], 0);
  // The new worker runs the stream's prompt and takes the next one.
  const json next = {{"prompt", Prompt(5)}};
  const auto answer = rig.Call("POST", "/stream/a/update-prompts", next.dump());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body["prompt_revision"], 2);
}

INSTANTIATE_TEST_SUITE_P(Signals, WorkerFault, testing::Values(SIGKILL, SIGSEGV, SIGSTOP));

TEST(Framelockd, ADeadMediaProcessComesBackWithTheSameWorker) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a", {{"prompt", Prompt(3)}}).status, 200);
  const json next = {{"prompt", Prompt(5)}};
  ASSERT_EQ(rig.Call("POST", "/stream/a/update-prompts", next.dump()).status, 200);
  const pid_t worker = WorkerOf(rig, "a");
  const pid_t victim = MediaOf(rig, "a");
  ::kill(victim, SIGKILL);
  ASSERT_TRUE(Eventually([&] {
    const pid_t now = MediaOf(rig, "a");
    return now != 0 && now != victim;
  }));
  EXPECT_TRUE(Eventually([&] { return rig.Status("a")["worker"]["state"] == "ready"; }));
  EXPECT_EQ(WorkerOf(rig, "a"), worker);
  EXPECT_EQ(rig.Status("a")["worker"]["restarts"], 0);
  EXPECT_EQ(rig.Status("a")["prompt_revision"], 2);
  EXPECT_EQ(rig.Status("a")["media"]["last_exit"]["reason"], "signal 9 (SIGKILL)");
  const json third = {{"prompt", Prompt(7)}};
  EXPECT_EQ(rig.Call("POST", "/stream/a/update-prompts", third.dump()).body["prompt_revision"], 3);
}

TEST(Framelockd, AStoppedMediaProcessIsReplaced) {
  DaemonRig rig({"--media-silence-ms", "1000"});
  ASSERT_EQ(rig.Start("a").status, 200);
  const pid_t victim = MediaOf(rig, "a");
  ::kill(victim, SIGSTOP);
  EXPECT_TRUE(Eventually([&] { return !Alive(victim) && MediaOf(rig, "a") != 0; }));
}

TEST(Framelockd, RestartWorkerPutsAFreshOneInPlace) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a").status, 200);
  const pid_t before = WorkerOf(rig, "a");
  const auto answer = rig.Call("POST", "/stream/a/restart-workers");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(WorkerOf(rig, "a"), before);
  EXPECT_FALSE(Alive(before));
  EXPECT_EQ(rig.Status("a")["prompt_revision"], 1);
}

TEST(Framelockd, SigtermEndsEverythingInGoodOrder) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a").status, 200);
  ASSERT_EQ(rig.Start("b").status, 200);
  const std::set<pid_t> family = rig.Family();
  rig.process().Signal(SIGTERM);
  const auto end = rig.process().Wait(std::chrono::seconds(15));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->ToString(), "exit code 0");
  for (const pid_t pid : family) EXPECT_FALSE(Alive(pid)) << pid;
}

TEST(Framelockd, SigkillLeavesNothingAfterASecond) {
  DaemonRig rig;
  ASSERT_EQ(rig.Start("a").status, 200);
  ASSERT_EQ(rig.Start("b").status, 200);
  const std::set<pid_t> family = rig.Family();
  EXPECT_GE(family.size(), 4u);
  ::kill(WorkerOf(rig, "a"), SIGSTOP);
  ::kill(MediaOf(rig, "b"), SIGSTOP);
  ::kill(rig.process().pid(), SIGKILL);
  const auto gone = [&] {
    return std::none_of(family.begin(), family.end(), [](pid_t pid) { return Alive(pid); });
  };
  EXPECT_TRUE(Eventually(gone, milliseconds(1000)));
}

TEST(Framelockd, AWorkerThatCannotRunIsToldAndNothingHangs) {
  DaemonRig rig({"--worker-command", "/bin/false", "--worker-timeout-ms", "1000"});
  const auto began = std::chrono::steady_clock::now();
  const auto answer = rig.Start("a");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_EQ(answer.status, 503) << answer.body;
  EXPECT_NE(answer.body["error"].get<std::string>().find("worker"), std::string::npos);
  const std::string health = rig.Call("GET", "/health").body["status"];
  EXPECT_TRUE(health == "LOADING" || health == "ERROR") << health;
  EXPECT_EQ(rig.Call("GET", "/streams").body["count"], 0);
}

// Workers that end at once for as long as a file is there.
TEST(Framelockd, ARunningStreamOutlivesAPoolThatGivesUp) {
  const std::string broken = testing::TempDir() + "framelockd_no_workers";
  std::filesystem::remove(broken);
  const char* bin = std::getenv("FRAMELOCK_BIN");
  const std::string command = "sh -c 'test -e " + broken + " && exit 1; exec " +
                              std::string(bin == nullptr ? "bin" : bin) +
                              "/framelock-worker \"$@\"' sh";
  DaemonRig rig({"--worker-command", command, "--max-spawn-failures", "1", "--restart-pause-ms",
                 "10", "--pool-pause-ms", "3000", "--max-restarts", "2"});
  ASSERT_EQ(rig.Start("a").status, 200);
  ASSERT_TRUE(Eventually([&] { return rig.Call("GET", "/health").body["ready_workers"] == 1; }));
  const pid_t media = MediaOf(rig, "a");
  const pid_t first = WorkerOf(rig, "a");
  std::ofstream(broken) << "x";
  ::kill(first, SIGKILL);  // the spare takes its place, and no spare follows
  ASSERT_TRUE(Eventually([&] { return WorkerOf(rig, "a") != first && WorkerOf(rig, "a") != 0; }));
  // The pool's error names the exit code only once the worker is reaped.
  json health;
  ASSERT_TRUE(Eventually([&] {
    health = rig.Call("GET", "/health").body;
    return health["status"] == "ERROR" &&
           health["error"].dump().find("exit code 1") != std::string::npos;
  })) << health;
  const auto refused = rig.Start("b");
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.body["error"].get<std::string>().find("exit code 1"), std::string::npos);
  EXPECT_GE(refused.body["retry_after"], 1);
  ::kill(WorkerOf(rig, "a"), SIGKILL);
  json status;
  ASSERT_TRUE(Eventually([&] {
    status = rig.Status("a");
    return status["worker"]["state"] == "waiting" &&
           status["last_error"].get<std::string>().starts_with("waiting for a worker: ");
  })) << status;
  EXPECT_TRUE(status["worker"]["retry_in_ms"].is_number()) << status;
  EXPECT_EQ(status["state"], "replacing_worker");
  std::filesystem::remove(broken);
  EXPECT_TRUE(Eventually([&] { return rig.Status("a")["worker"]["state"] == "ready"; }));
  EXPECT_EQ(MediaOf(rig, "a"), media);
  EXPECT_EQ(rig.Status("a")["worker"]["restarts"], 2);
  EXPECT_EQ(rig.Start("b").status, 200);
}

TEST(Framelockd, AMediaProcessThatCannotRunFailsTheStartAlone) {
  DaemonRig rig({"--stream-command", "/bin/false"});
  ASSERT_TRUE(OnlySpare(rig, 1));
  const auto answer = rig.Start("a");
  EXPECT_EQ(answer.status, 500) << answer.body;
  EXPECT_NE(answer.body["error"].get<std::string>().find("exit code 1"), std::string::npos);
  EXPECT_TRUE(OnlySpare(rig, 1));
}

TEST(Framelockd, AStreamStartsInTheProcessThatIsKeptReady) {
  DaemonRig rig;
  ASSERT_TRUE(OnlySpare(rig));
  const std::set<pid_t> spares = rig.Family();
  ASSERT_EQ(rig.Start("a").status, 200);
  EXPECT_TRUE(spares.contains(MediaOf(rig, "a")));
  ASSERT_TRUE(Eventually([&] { return rig.Family().size() == 2 + kSpares; })) << "a new one";
  ASSERT_EQ(rig.Start("b").status, 200);
  EXPECT_NE(MediaOf(rig, "b"), MediaOf(rig, "a"));
}

TEST(Framelockd, AStreamStartsAllTheSameWhenTheReadyProcessHasEnded) {
  DaemonRig rig;
  ASSERT_TRUE(OnlySpare(rig));
  for (const pid_t pid : rig.Family()) {
    std::string name;
    std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
    if (name != "framelock-strea") continue;
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(Eventually([pid] { return !Alive(pid); }));
  }
  const auto answer = rig.Start("a");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(Alive(MediaOf(rig, "a")));
}

TEST(Framelockd, KeepsNoProcessReadyThatNobodyWants) {
  DaemonRig rig({"--warm-streams", "0"});
  ASSERT_TRUE(OnlySpare(rig, 1));
  ASSERT_EQ(rig.Start("a").status, 200);
  EXPECT_EQ(rig.Call("DELETE", "/stream/a").status, 200);
  EXPECT_TRUE(OnlySpare(rig, 1));
}

TEST(Framelockd, FullMeans503) {
  DaemonRig rig({"--max-streams", "1"});
  ASSERT_EQ(rig.Start("a").status, 200);
  EXPECT_EQ(rig.Start("b").status, 503);
  EXPECT_EQ(rig.Call("POST", "/stream/stop").body["message"], "Stopped 1 stream(s)");
  EXPECT_EQ(rig.Start("b").status, 200);
}

TEST(Framelockd, OddBodiesGetAClearAnswer) {
  DaemonRig rig;
  const std::string big(5 << 20, ' ');
  EXPECT_EQ(rig.Call("POST", "/stream/start", big).status, 413);
  EXPECT_EQ(rig.Call("POST", "/stream/start", std::string(10'000, '[')).status, 400);
  EXPECT_EQ(rig.Call("POST", "/stream/stop", "", {{"Origin", "http://evil.example"}}).status, 403);
  HttpProbe rebound(rig.port());
  rebound.Send("GET /streams HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  ASSERT_TRUE(rebound.ReadHead());
  EXPECT_EQ(rebound.status(), 403);
  HttpProbe foreign(rig.port());  // its body never comes, and nobody waits for it
  foreign.Send(
      "POST /stream/start HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n"
      "Content-Length: 1000\r\n\r\n");
  ASSERT_TRUE(foreign.ReadHead());
  EXPECT_EQ(foreign.status(), 403);
  HttpProbe chunked(rig.port());
  chunked.RequestChunked("POST", "/stream/start").Chunk("{\"a\":").Chunk("1}").EndChunks();
  ASSERT_TRUE(chunked.ReadHead());
  EXPECT_EQ(chunked.status(), 400);
  EXPECT_EQ(rig.Call("GET", "/openapi.json").body["openapi"], "3.0.3");
  EXPECT_EQ(rig.Call("GET", "/health").status, 200);
}

TEST(Framelockd, RaisesItsOpenFileLimitAndGivesItsChildrenTheOldOne) {
  const auto soft = [](pid_t pid) {
    rlimit limit{};
    EXPECT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
    return limit.rlim_cur;
  };
  rlimit original{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &original), 0);
  rlimit low = original;
  low.rlim_cur = 512;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  DaemonRig rig;
  ::setrlimit(RLIMIT_NOFILE, &original);
  EXPECT_EQ(soft(rig.process().pid()), original.rlim_max);
  ASSERT_EQ(rig.Start("a").status, 200);
  const std::set<pid_t> family = rig.Family();
  EXPECT_GE(family.size(), 2u) << "a media process and a worker";
  for (const pid_t pid : family) EXPECT_EQ(soft(pid), 512u);
}

TEST(Framelockd, OptionsComeFromAFileToo) {
  const std::string path = testing::TempDir() + "framelockd.conf";
  std::ofstream(path) << "max-streams=1\nstop-timeout-ms=500\nlog-level=\"warn\"\n";
  DaemonRig rig({"--config", path});
  EXPECT_EQ(rig.Start("a").status, 200);
  EXPECT_EQ(rig.Start("b").status, 503);
}

// How often its loop slept so far.
int SleepsOf(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    int count = 0;
    if (word == "voluntary_ctxt_switches:" && status >> count) return count;
  }
  return -1;
}

TEST(Framelockd, AProcessThatWritesSingleBytesDoesNotKeepItAwake) {
  const char* bin = std::getenv("FRAMELOCK_BIN");
  DaemonRig rig({"--stream-command", "sh -c '(while printf x >&2; do :; done) & exec " +
                                         std::string(bin == nullptr ? "bin" : bin) +
                                         "/framelock-stream \"$@\"' sh"});
  ASSERT_EQ(rig.Start("a").status, 200);
  const int before = SleepsOf(rig.process().pid());
  std::this_thread::sleep_for(milliseconds(500));
  const int sleeps = SleepsOf(rig.process().pid()) - before;
  ASSERT_GE(before, 0);
  EXPECT_GT(sleeps, 0);
  EXPECT_LT(sleeps, 500) << "a look every 20 ms, and what else goes on";
}

TEST(Framelockd, LinesOfItsProcessesKeepTheirLevel) {
  const char* variable = std::getenv("FRAMELOCK_BIN");
  const std::string bin = variable == nullptr ? "bin" : variable;
  const auto speaking = [&](const std::string& program) {
    return "sh -c 'echo \"[warning] odd " + program + "\" >&2; echo plain >&2; exec " + bin + "/" +
           program + " \"$@\"' sh";
  };
  DaemonRig rig({"--log-level", "warn", "--worker-command", speaking("framelock-worker"),
                 "--stream-command", speaking("framelock-stream")});
  ASSERT_EQ(rig.Start("a").status, 200);
  std::string log;
  EXPECT_TRUE(Eventually([&] {
    rig.process().DrainStderr([&](const std::string& line) { log += line + "\n"; });
    return log.find("[warning] odd framelock-stream") != std::string::npos;
  })) << log;
  const std::vector<std::string> tail = rig.process().stderr_tail();
  const auto holds = [&](const char* words) {
    return std::any_of(tail.begin(), tail.end(), [&](const std::string& line) {
      return line.find(words) != std::string::npos;
    });
  };
  EXPECT_TRUE(holds("[warning] odd framelock-worker"));
  EXPECT_FALSE(holds("plain"));
}

json Plain() {
  return {{"1", {{"class_type", "LoadTensor"}, {"inputs", json::object()}}},
          {"3", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"1", 0}}}}}}};
}

TEST(Framelockd, SharedStreamsSitInOneProcessAndRecoverTogether) {
  DaemonRig rig({"--max-streams-per-worker", "2"});
  const json shared = {{"dedicated_worker", false}};
  for (const char* id : {"a", "b", "c"}) ASSERT_EQ(rig.Start(id, shared).status, 200) << id;
  const pid_t both = WorkerOf(rig, "a");
  EXPECT_EQ(WorkerOf(rig, "b"), both);
  EXPECT_NE(WorkerOf(rig, "c"), both) << "there was room for two";
  EXPECT_EQ(rig.Call("GET", "/stream/a/worker").body["worker_status"]["streams_on_worker"], 2);
  // Each has its own prompt.
  const json update = {{"prompt", Plain()}};
  EXPECT_EQ(rig.Call("POST", "/stream/a/update-prompts", update.dump()).status, 200);
  EXPECT_EQ(rig.Status("b")["prompt_revision"], 1);
  const json refused = {{"prompt", {{"1", {{"class_type", "Nope"}, {"inputs", json::object()}}}}}};
  EXPECT_EQ(rig.Call("POST", "/stream/b/update-prompts", refused.dump()).status, 400);
  EXPECT_EQ(rig.Call("POST", "/stream/a/restart-worker").status, 400);
  ::kill(both, SIGKILL);
  // One may find room beside "c", the other sits in a new process.
  ASSERT_TRUE(Eventually([&] {
    const pid_t a = WorkerOf(rig, "a");
    const pid_t b = WorkerOf(rig, "b");
    return a != both && a != 0 && b != both && b != 0;
  }));
  EXPECT_NE(WorkerOf(rig, "c"), both);
  EXPECT_EQ(rig.Status("c")["worker"]["restarts"], 0);
  ASSERT_TRUE(Eventually([&] { return rig.Status("a")["prompt_revision"] == 2; }));
  // One leaves, the other stays; with the last one the process goes.
  EXPECT_EQ(rig.Call("DELETE", "/stream/a").status, 200);
  EXPECT_TRUE(Alive(WorkerOf(rig, "b")));
  EXPECT_EQ(rig.Call("POST", "/stream/stop").status, 200);
  EXPECT_TRUE(OnlySpare(rig));
}

// What ends its process again and again ends no other's for ever.
TEST(Framelockd, AStreamThatLostItsSharedProcessTwiceSitsAlone) {
  DaemonRig rig;
  const json shared = {{"dedicated_worker", false}};
  for (const char* id : {"a", "b"}) ASSERT_EQ(rig.Start(id, shared).status, 200) << id;
  for (int death = 0; death < 2; ++death) {
    const pid_t both = WorkerOf(rig, "a");
    ASSERT_EQ(both, WorkerOf(rig, "b"));
    ::kill(both, SIGSEGV);
    ASSERT_TRUE(Eventually([&] {
      const pid_t a = WorkerOf(rig, "a");
      const pid_t b = WorkerOf(rig, "b");
      return a != both && b != both && a != 0 && b != 0;
    }));
  }
  EXPECT_NE(WorkerOf(rig, "a"), WorkerOf(rig, "b"));
}

TEST(Framelockd, AWorkerForOneStreamCannotBeShared) {
  DaemonRig rig({"--worker-command", "python3 " FRAMELOCK_FAKE_WORKER});
  const auto answer = rig.Start("a", {{"dedicated_worker", false}});
  EXPECT_EQ(answer.status, 500) << answer.body;
  EXPECT_NE(answer.body.dump().find("AddHost"), std::string::npos) << answer.body;
  EXPECT_TRUE(OnlySpare(rig));
}

TEST(Framelockd, EachPromptHasAWarmWorkerAndOneIsAtWork) {
  DaemonRig rig;
  ASSERT_EQ(
      rig.Start("a", {{"use_prompt_worker", true}, {"prompts", {Prompt(1), Plain(), Prompt(3)}}})
          .status,
      200);
  json prompts = rig.Call("GET", "/stream/a/prompts").body;
  ASSERT_EQ(prompts["total_prompts"], 3);
  EXPECT_EQ(prompts["active_prompt_id"], prompts["prompts"][0]);
  const auto worker_of = [&](std::size_t number) {
    const json worker = rig.Call("GET", "/stream/a/prompts").body["prompt_workers"][number];
    return worker["state"] == "ready" ? worker["pid"].get<pid_t>() : 0;
  };
  const pid_t first = WorkerOf(rig, "a");
  const pid_t second = worker_of(1);
  EXPECT_NE(second, 0);
  const json body = {{"prompt_id", prompts["prompts"][1]}};
  const auto switched = rig.Call("POST", "/stream/a/switch-prompt", body.dump());
  EXPECT_EQ(switched.status, 200) << switched.body;
  EXPECT_EQ(WorkerOf(rig, "a"), second);
  EXPECT_TRUE(Eventually([&] { return worker_of(0) == first; }));
  // One that waits dies, or is stopped: it is replaced, and the stream does not notice.
  for (const int signal : {SIGKILL, SIGSTOP}) {
    const pid_t idle = worker_of(2);
    ASSERT_NE(idle, 0);
    ::kill(idle, signal);
    EXPECT_TRUE(Eventually([&] {
      const pid_t now = worker_of(2);
      return now != 0 && now != idle;
    }));
  }
  EXPECT_EQ(WorkerOf(rig, "a"), second);
  EXPECT_EQ(rig.Status("a")["worker"]["restarts"], 0);
  // A new set: what it shares with the old one stays.
  const json update = {{"prompts", {Prompt(5), Plain()}}};
  const auto updated = rig.Call("POST", "/stream/a/update-prompts", update.dump());
  EXPECT_EQ(updated.status, 200) << updated.body;
  prompts = rig.Call("GET", "/stream/a/prompts").body;
  EXPECT_EQ(prompts["total_prompts"], 2);
  EXPECT_EQ(prompts["active_prompt"], Prompt(5));
  EXPECT_TRUE(Eventually([&] { return worker_of(1) == second; }));
  const json bad = {{"prompts", {Plain(), Prompt("wide")}}};
  EXPECT_EQ(rig.Call("POST", "/stream/a/update-prompts", bad.dump()).status, 400);
  EXPECT_EQ(rig.Call("GET", "/stream/a/prompts").body["active_prompt"], Prompt(5));
  EXPECT_EQ(rig.Call("DELETE", "/stream/a").status, 200);
  EXPECT_TRUE(OnlySpare(rig));
}

// ComfyUI's own answers, class by class and key by key.
TEST(Framelockd, ListsItsNodesAsComfyUiDoes) {
  const DaemonRig rig;
  ASSERT_TRUE(Eventually([&] { return rig.Call("GET", "/object_info").status == 200; }));
  const json all = rig.Call("GET", "/api/object_info").body;
  const json specs = json::parse(std::ifstream(FRAMELOCK_GOLDEN "/specs.json"));
  std::size_t compared = 0;
  for (const auto& [name, spec] : specs.items()) {
    if (!all.contains(name)) continue;
    EXPECT_EQ(all[name], spec) << name;
    EXPECT_EQ(rig.Call("GET", "/object_info/" + name).body, json({{name, spec}}));
    ++compared;
  }
  EXPECT_GT(compared, 20u);
  const auto unknown = rig.Call("GET", "/object_info/NoSuchNode");
  EXPECT_EQ(unknown.status, 200);
  EXPECT_EQ(unknown.body, json::object());
}

TEST(Framelockd, NodesOfTheWorkerCommandAreListedAndRun) {
  const DaemonRig rig({"--worker-command", "framelock-worker --nodes '" FRAMELOCK_TEST_NODES "'"});
  ASSERT_TRUE(Eventually([&] { return rig.Call("GET", "/object_info").status == 200; }));
  const json info = rig.Call("GET", "/object_info/TestGain").body;
  ASSERT_TRUE(info.contains("TestGain")) << info;
  EXPECT_EQ(info["TestGain"]["output"], json::array({"IMAGE"}));
  json prompt = Prompt(3);
  prompt["2"] = {{"class_type", "TestGain"},
                 {"inputs", {{"image", {"1", 0}}, {"gain", 0.5}, {"from", "zero"}}}};
  const auto started = rig.Start("a", {{"prompt", prompt}});
  EXPECT_EQ(started.status, 200) << started.body;
  prompt["2"]["inputs"]["gain"] = 5;
  EXPECT_EQ(rig.Start("b", {{"prompt", prompt}}).status, 400);
}

TEST(Framelockd, AWorkerCommandWithoutAListIsSaidToHaveNone) {
  const std::string slow = "sh -c 'case \"$*\" in *nodes) sleep 60;; esac; exit 1' sh";
  for (const auto& [command, reason] :
       {std::pair<std::string, std::string>{"python3 " FRAMELOCK_FAKE_WORKER, "exit code 2"},
        {"sh -c 'yes {}' sh", "more than 1024 bytes"},
        {slow, "in time"},
        {"/no/such/worker", "/no/such/worker"}}) {
    const DaemonRig rig(
        {"--worker-command", command, "--max-nodes-bytes", "1024", "--nodes-timeout-ms", "2000"});
    DaemonRig::Answer answer;
    ASSERT_TRUE(Eventually([&] {
      answer = rig.Call("GET", "/object_info");
      return answer.status != 503;
    })) << command;
    EXPECT_EQ(answer.status, 501) << command;
    EXPECT_NE(answer.body.dump().find(reason), std::string::npos) << answer.body;
  }
}

TEST(Framelockd, WrongOptionsAreNamed) {
  process::SpawnOptions options;
  const char* bin = std::getenv("FRAMELOCK_BIN");
  options.argv = {std::string(bin == nullptr ? "bin" : bin) + "/framelockd", "--max-streams",
                  "many"};
  auto child = process::ChildProcess::Spawn(options);
  ASSERT_TRUE(child);
  const auto end = (*child)->Wait(std::chrono::seconds(10));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->ToString(), "exit code 2");
  std::string text;
  (*child)->DrainStderr([&](const std::string& line) { text += line; });
  EXPECT_NE(text.find("--max-streams"), std::string::npos) << text;
}

}  // namespace
}  // namespace framelock::test
