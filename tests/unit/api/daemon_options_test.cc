// SPDX-License-Identifier: Apache-2.0
#include "api/daemon_options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace framelock::api {
namespace {

using namespace std::chrono_literals;

CommandLine Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "framelockd");
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

TEST(DaemonOptions, AWorkersLimitsAreWhatStreamsStartWith) {
  const CommandLine line =
      Parse({"--worker-heartbeat-timeout-ms=900", "--worker-first-frame-timeout-ms=60000",
             "--worker-frame-timeout-ms=3000", "--worker-frame-timeout-factor=4",
             "--worker-load-timeout-ms=600000"});
  ASSERT_TRUE(line.options);
  const stream::StreamConfig& defaults = line.options->api.defaults;
  EXPECT_EQ(defaults.worker_heartbeat_timeout_ms, 900);
  EXPECT_EQ(defaults.worker_first_frame_timeout_ms, 60'000);
  EXPECT_EQ(defaults.worker_frame_timeout_ms, 3000);
  EXPECT_EQ(defaults.worker_frame_timeout_factor, 4);
  EXPECT_EQ(defaults.worker_load_timeout_ms, 600'000);
}

TEST(DaemonOptions, AStreamWaitsLongerForAPromptThanTheDaemon) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, std::vector<std::string>{"--prompt-timeout-ms=60000"}}) {
    const CommandLine line = Parse(words);
    ASSERT_TRUE(line.options);
    EXPECT_GT(std::chrono::milliseconds(line.options->api.defaults.prompt_timeout_ms),
              line.options->stream_limits.prompt_timeout);
  }
}

TEST(DaemonOptions, AHeartbeatIsGivenTwoBeatsAtLeast) {
  EXPECT_EQ(Parse({"--worker-heartbeat-timeout-ms=199"}).exit_code, 2);
}

TEST(DaemonOptions, TheKillLadderAndThePoolAreSetByName) {
  const CommandLine line =
      Parse({"--stop-timeout-ms=100", "--spare-stop-timeout-ms=200", "--term-timeout-ms=300",
             "--max-restarts=7", "--restart-window-ms=20000", "--restart-pause-ms=10,20",
             "--pool-interval-ms=25", "--spawn-interval-ms=75", "--greet-timeout-ms=1500",
             "--spare-heartbeat-timeout-ms=900", "--max-spawn-failures=3", "--pool-pause-ms=5000"});
  ASSERT_TRUE(line.options);
  const StreamLimits& stream = line.options->stream_limits;
  const host::WorkerPool::Options& pool = line.options->pool;
  EXPECT_EQ(stream.ladder.cooperative, 100ms);
  EXPECT_EQ(pool.ladder.cooperative, 200ms);
  EXPECT_EQ(stream.ladder.term, 300ms);
  EXPECT_EQ(pool.ladder.term, 300ms);
  EXPECT_EQ(stream.restart.max_restarts, 7u);
  EXPECT_EQ(pool.restart.max_restarts, 3u);
  for (const process::RestartPolicy::Options& restart : {stream.restart, pool.restart}) {
    EXPECT_EQ(restart.window, 20s);
    EXPECT_EQ(restart.healthy, 20s);
    EXPECT_EQ(restart.back_off, (std::vector<std::chrono::milliseconds>{10ms, 20ms}));
  }
  EXPECT_EQ(line.options->pool_interval, 25ms);
  EXPECT_EQ(pool.spawn_interval, 75ms);
  EXPECT_EQ(pool.greet_deadline, 1500ms);
  EXPECT_EQ(pool.heartbeat_stale, 900ms);
  EXPECT_EQ(pool.retry_after_giving_up, 5s);
}

TEST(DaemonOptions, WhatIsNotGivenKeepsItsDefault) {
  const CommandLine line = Parse({});
  ASSERT_TRUE(line.options);
  const process::RestartPolicy::Options restart;
  EXPECT_EQ(line.options->stream_limits.restart.back_off, restart.back_off);
  EXPECT_EQ(line.options->pool.restart.back_off, restart.back_off);
  EXPECT_EQ(line.options->stream_limits.ladder.cooperative, StreamLimits{}.ladder.cooperative);
  EXPECT_EQ(line.options->pool.ladder.cooperative, process::KillLadder{}.cooperative);
  EXPECT_EQ(line.options->http.idle_timeout, net::HttpServerOptions{}.idle_timeout);
  EXPECT_EQ(line.options->pool.retry_after_giving_up, 60s);
}

TEST(DaemonOptions, AWorkspaceIsHandedToTheWorkerCommand) {
  const CommandLine line = Parse({"--worker-command=w --x", "--workspace=/", "--workspace-root=/"});
  ASSERT_TRUE(line.options);
  EXPECT_EQ(line.options->pool.command.argv,
            (std::vector<std::string>{"w", "--x", "--workspace", "/"}));
  EXPECT_EQ(line.options->api.workspace, "/");
  EXPECT_TRUE(line.options->api.workspaces.root == "/");
  EXPECT_EQ(Parse({"--workspace-root=/nonexistent"}).exit_code, 2);
}

TEST(DaemonOptions, AFileMaySetThemToo) {
  const std::string path = testing::TempDir() + "daemon_options_test.conf";
  std::ofstream(path) << "pool-pause-ms=1234\nrestart-pause-ms=[5,6,7]\nidle-timeout=9\n";
  const CommandLine line = Parse({"--config", path});
  ASSERT_TRUE(line.options);
  EXPECT_EQ(line.options->pool.retry_after_giving_up, 1234ms);
  EXPECT_EQ(line.options->pool.restart.back_off.size(), 3u);
  EXPECT_EQ(line.options->http.idle_timeout, 9s);
}

TEST(DaemonOptions, TimesOutOfRangeAreRefused) {
  for (const char* word : {"--pool-pause-ms=99", "--pool-interval-ms=0", "--term-timeout-ms=x",
                           "--restart-pause-ms=1,-1", "--idle-timeout=0"}) {
    EXPECT_EQ(Parse({word}).exit_code, 2) << word;
  }
}

}  // namespace
}  // namespace framelock::api
