// SPDX-License-Identifier: Apache-2.0
#include "api/daemon_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace framelock::api {
namespace {

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

}  // namespace
}  // namespace framelock::api
