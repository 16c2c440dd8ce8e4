// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace framelock::testing {
namespace {

std::vector<gchar*> Arguments(const std::vector<std::string>& arguments) {
  std::vector<gchar*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<gchar*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

bool RunProgram(const std::vector<std::string>& arguments) {
  gint status = -1;
  const gboolean ran =
      g_spawn_sync(nullptr, Arguments(arguments).data(), nullptr,
                   static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL),
                   nullptr, nullptr, nullptr, nullptr, &status, nullptr);
  return ran != FALSE && status == 0;
}

Child::Child(const std::vector<std::string>& arguments) {
  GError* error = nullptr;
  const gboolean spawned = g_spawn_async_with_pipes(nullptr, Arguments(arguments).data(), nullptr,
                                                    G_SPAWN_DO_NOT_REAP_CHILD, nullptr, nullptr,
                                                    &pid_, nullptr, &output_, nullptr, &error);
  if (!spawned) {
    ADD_FAILURE() << error->message;
    g_error_free(error);
    return;
  }
  char c = 0;
  while (read(output_, &c, 1) == 1 && c != '\n') first_line_.push_back(c);
}

Child::~Child() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  close(output_);
}

}  // namespace framelock::testing
