// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/process_usage.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace framelock::bench {
namespace {

// The first field of each thread's schedstat is its time on a CPU, in nanoseconds. A thread that
// has ended is no longer in it: good for programs whose threads live as long as they do.
std::chrono::nanoseconds CpuOf(const std::string& process) {
  std::chrono::nanoseconds cpu{};
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(process + "/task", error)) {
    std::int64_t running = 0;
    std::ifstream(thread.path() / "schedstat") >> running;
    cpu += std::chrono::nanoseconds(running);
  }
  return cpu;
}

}  // namespace

Result<ProcessUsage> ProcessUsage::Read(pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream status(process + "/status");
  if (!status) return ErrnoError("read the usage of process " + std::to_string(pid));
  ProcessUsage usage;
  for (std::string key; status >> key;) {
    std::uint64_t kilobytes = 0;
    if (key == "VmHWM:" && status >> kilobytes) usage.peak_rss_bytes = kilobytes * 1024;
    if (key == "VmRSS:" && status >> kilobytes) usage.rss_bytes = kilobytes * 1024;
    status.ignore(4096, '\n');
  }
  usage.cpu = CpuOf(process);
  return usage;
}

}  // namespace framelock::bench
