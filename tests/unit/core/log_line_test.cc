// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/log_line.h"

#include <gtest/gtest.h>

namespace framelock {
namespace {

using spdlog::level::level_enum;

struct Line {
  const char* text;
  std::optional<level_enum> level;
};

class LogLineTest : public testing::TestWithParam<Line> {};

TEST_P(LogLineTest, NamesItsLevel) {
  EXPECT_EQ(LevelOfLogLine(GetParam().text), GetParam().level) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, LogLineTest,
    testing::Values(
        Line{"12:34:56.789 warning framelock-worker[7] seq=3 late", level_enum::warn},
        Line{"12:34:56.789 error framelock-stream[7] input: 404", level_enum::err},
        Line{"12:34:56.789 info  framelock-stream[7] error is only a word", level_enum::info},
        Line{R"({"time":"2026-01-02T03:04:05.678+00:00","level":"debug","message":"x"})",
             level_enum::debug},
        Line{R"({"level" : "ERROR"})", level_enum::err},
        Line{R"({"message":"\"level\":\"error\""})", std::nullopt},
        Line{R"({"level":40})", std::nullopt}, Line{R"({"level":"loud"})", std::nullopt},
        Line{R"({"level)", std::nullopt}, Line{"[warn] odd", level_enum::warn},
        Line{"[2026-01-02 03:04:05.678] [worker] [critical] gone", level_enum::critical},
        Line{"[ Fatal ] x", level_enum::critical}, Line{"WARNING: x", level_enum::warn},
        Line{"2026-01-02 03:04:05,678 ERROR root: x", level_enum::err},
        Line{"0:00:01.5 1234 WARN basesrc x", level_enum::warn}, Line{"error", std::nullopt},
        Line{"error while loading shared libraries: x", std::nullopt},
        Line{"the worker says [error]", std::nullopt}, Line{"a b c d [error] x", std::nullopt},
        Line{"", std::nullopt}, Line{"   ", std::nullopt}, Line{"[", std::nullopt},
        Line{"[]", std::nullopt}, Line{":", std::nullopt}, Line{"{", std::nullopt}));

}  // namespace
}  // namespace framelock
