// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/parent_death.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "pipeline/core/unique_fd.h"

namespace framelock {
namespace {

TEST(DieWithParent, AChildOfAnotherParentDiesAtOnce) {
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const auto set = DieWithParent(1'999'999'999);
    ::_exit(set.ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(DieWithParent, FollowsItsParent) {
  // parent -> middle -> child: the child must end when the middle one does.
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t middle = ::fork();
  ASSERT_GE(middle, 0);
  if (middle == 0) {
    ::alarm(20);  // of no use once the test has failed
    const pid_t self = ::getpid();
    if (::fork() == 0) {
      ::alarm(20);
      const bool set = DieWithParent(self).ok();
      const char told = set ? 'y' : 'n';
      if (::write(writer.get(), &told, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    for (;;) ::pause();
  }
  writer.reset();
  char told = 0;
  ASSERT_EQ(::read(reader.get(), &told, 1), 1);
  EXPECT_EQ(told, 'y');
  ::kill(middle, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(middle, &status, 0), middle);
  pollfd ended{.fd = reader.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&ended, 1, 5000), 1);
  EXPECT_EQ(::read(reader.get(), &told, 1), 0) << "its end of the pipe closed with it";
}

}  // namespace
}  // namespace framelock
