// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/relay_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace framelock::testing {

RelayProcess::RelayProcess() {
  const char* folder = std::getenv("FRAMELOCK_BIN");
  std::string program =
      std::string(folder == nullptr ? FRAMELOCK_BIN_DEFAULT : folder) + "/framelock-relay";
  std::array<gchar*, 4> arguments = {program.data(), const_cast<gchar*>("--listen"),
                                     const_cast<gchar*>("127.0.0.1:0"), nullptr};
  GError* error = nullptr;
  const gboolean spawned =
      g_spawn_async_with_pipes(nullptr, arguments.data(), nullptr, G_SPAWN_DO_NOT_REAP_CHILD,
                               nullptr, nullptr, &pid_, nullptr, &output_, nullptr, &error);
  if (!spawned) {
    ADD_FAILURE() << error->message;
    return;
  }
  std::string line;
  char c = 0;
  while (read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
  const std::size_t at = line.find("http://");
  EXPECT_NE(at, std::string::npos) << line;
  if (at == std::string::npos) return;
  url_ = line.substr(at);
  if (!url_.ends_with('/')) url_ += '/';
}

RelayProcess::~RelayProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  close(output_);
}

}  // namespace framelock::testing
