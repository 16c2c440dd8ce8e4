// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/end_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace framelock::process {
namespace {

TEST(EndReport, NamesTheSignal) {
  const auto report = ExplainEnd({.signalled = true, .code = SIGSEGV}, {"last words"});
  EXPECT_EQ(report.kind, EndKind::kCrashed);
  EXPECT_EQ(report.text, "crashed: signal 11 (SIGSEGV)");
  EXPECT_THAT(report.last_lines, testing::ElementsAre("last words"));
}

TEST(EndReport, AnUnknownSignalStillHasItsNumber) {
  EXPECT_EQ((ExitStatus{.signalled = true, .code = 77}.ToString()), "signal 77");
}

TEST(EndReport, TellsAStopFromAFailure) {
  EXPECT_EQ(ExplainEnd({}, {"std::bad_alloc"}).kind, EndKind::kStopped);
  const auto report = ExplainEnd({.code = 3}, {});
  EXPECT_EQ(report.kind, EndKind::kFailed);
  EXPECT_EQ(report.text, "failed: exit code 3");
}

TEST(EndReport, OutOfMemoryIsRecognisedByItsWords) {
  const auto report = ExplainEnd({.signalled = true, .code = SIGABRT},
                                 {"terminate called after throwing an instance of 'std::bad_alloc'",
                                  "  what():  std::bad_alloc"});
  EXPECT_EQ(report.kind, EndKind::kOutOfMemory);
  EXPECT_EQ(report.text, "out of memory: signal 6 (SIGABRT)");
}

TEST(EndReport, KeepsOnlyTheLastLines) {
  const std::vector<std::string> tail = {"1", "2", "3", "4", "5", "6", "7"};
  EXPECT_THAT(ExplainEnd({.code = 1}, tail).last_lines,
              testing::ElementsAre("3", "4", "5", "6", "7"));
}

}  // namespace
}  // namespace framelock::process
