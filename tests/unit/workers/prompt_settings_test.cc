// SPDX-License-Identifier: Apache-2.0
#include "workers/main/prompt_settings.h"

#include <gtest/gtest.h>

namespace framelock::worker {
namespace {

TEST(PromptSettings, AreReadByName) {
  const auto none = PromptSettings::Read("{}");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->cwd);
  const auto all = PromptSettings::Read(
      R"({"cwd":"/","gpu_only":true,"disable_cuda_malloc":false,"preview_method":"taesd"})");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->cwd, "/");
  EXPECT_FALSE(PromptSettings::Read(R"({"cwd":null})")->cwd);
}

TEST(PromptSettings, UnknownNamesArePassedOver) {
  EXPECT_TRUE(PromptSettings::Read(R"({"colour":[1,2],"depth":{"a":1}})"));
}

TEST(PromptSettings, WhatIsWrongIsToldByItsName) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"cwd":1})", "cwd"},
      {R"({"cwd":"tmp"})", "cwd"},
      {R"({"cwd":""})", "cwd"},
      {R"({"cwd":"/\u0000"})", "cwd"},
      {R"({"gpu_only":"yes"})", "gpu_only"},
      {R"({"disable_cuda_malloc":1})", "disable_cuda_malloc"},
      {R"({"preview_method":"best"})", "preview_method"},
      {R"({"preview_method":false})", "preview_method"},
      {"[]", "object"},
      {"{", "object"},
      {"", "object"}};
  for (const auto& [text, name] : wrong) {
    const auto read = PromptSettings::Read(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(read.error().message.find(name), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace framelock::worker
