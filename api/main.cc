// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include <cstdio>

#include "api/daemon.h"
#include "api/daemon_options.h"
#include "pipeline/core/log.h"
#include "pipeline/core/open_file_limit.h"

int main(int argc, char** argv) {
  using namespace framelock;
  api::CommandLine line = api::ParseCommandLine(argc, argv);
  if (!line.options) return line.exit_code;
  if (const Status log = InitLog(line.options->log); !log) {
    std::fprintf(stderr, "framelockd: %s\n", log.error().message.c_str());
    return 2;
  }
  if (const auto before = RaiseOpenFileLimit()) {
    line.options->pool.command.open_file_limit = *before;
  } else {
    spdlog::warn("{}", before.error().message);
  }
  auto daemon = api::Daemon::Create(std::move(*line.options));
  if (!daemon) {
    std::fprintf(stderr, "framelockd: %s\n", daemon.error().message.c_str());
    return 1;
  }
  (*daemon)->Run();
  return 0;
}
