// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/machine.h"

#include <sys/utsname.h>

#include <fstream>
#include <thread>

namespace framelock::bench {
namespace {

std::string CpuModel() {
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t value = line.find(": ");
    if (value != std::string::npos) return line.substr(value + 2);
  }
  return "unknown";
}

}  // namespace

Machine Machine::Read() {
  utsname system{};
  ::uname(&system);
  return {.cpu = CpuModel(),
          .cores = std::thread::hardware_concurrency(),
          .kernel = std::string(system.sysname) + " " + system.release};
}

}  // namespace framelock::bench
