// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/child_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/captured_log.h"
#include "tests/support/fake_clock.h"

namespace framelock::process {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(ChildLog, PutsItsLabelAndTheLinesOwnLevelBeforeIt) {
  const CapturedLog captured;
  const FakeClock clock;
  ChildLog log("worker=12");
  log.Write("plain", clock.Now());
  log.Write("ERROR: bad", clock.Now());
  EXPECT_THAT(captured.lines(),
              ElementsAre("info worker=12 | plain", "error worker=12 | ERROR: bad"));
}

TEST(ChildLog, DropsAndCountsWhatIsTooMuchForASecond) {
  const CapturedLog captured;
  FakeClock clock;
  ChildLog log("worker=12");
  for (int i = 0; i < 1000; ++i) log.Write("flood", clock.Now());
  EXPECT_THAT(captured.lines(), SizeIs(ChildLog::kMaxLinesPerSecond));
  clock.Advance(std::chrono::seconds(1));
  log.Write("calm", clock.Now());
  const auto lines = captured.lines();
  ASSERT_THAT(lines, SizeIs(ChildLog::kMaxLinesPerSecond + 2));
  EXPECT_EQ(lines[lines.size() - 2], "warning worker=12 980 lines dropped");
  EXPECT_THAT(lines.back(), HasSubstr("calm"));
}

}  // namespace
}  // namespace framelock::process
