// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/open_file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace framelock {
namespace {

TEST(OpenFileLimit, IsRaisedToTheHardOneAndTellsWhatItWas) {
  rlimit original{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &original), 0);
  rlimit low = original;
  low.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto before = RaiseOpenFileLimit();
  ASSERT_TRUE(before.ok()) << before.error().message;
  EXPECT_EQ(*before, 100u);
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, original.rlim_max);
  EXPECT_EQ(now.rlim_max, original.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &original);
}

}  // namespace
}  // namespace framelock
