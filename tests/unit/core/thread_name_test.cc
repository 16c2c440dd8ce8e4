// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/thread_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

namespace framelock {
namespace {

std::string OwnName() {
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return name.data();
}

TEST(ThreadName, IsTheCallersOwn) {
  const std::string before = OwnName();
  std::string seen;
  std::jthread([&seen] {
    NameThread("fifteen-letters");
    seen = OwnName();
  }).join();
  EXPECT_EQ(seen, "fifteen-letters");
  EXPECT_EQ(OwnName(), before);
}

}  // namespace
}  // namespace framelock
