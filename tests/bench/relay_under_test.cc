// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/relay_under_test.h"

#include "tests/bench/row.h"

namespace framelock::bench {

Result<RelayUnderTest> RelayUnderTest::Ours(const RunOptions& options) {
  // More connections and bytes than the capacity load can want: its limit is to be time.
  auto program = ChildProgram::StartServer(
      {.argv = {options.Program("framelock-relay"), "--listen", "127.0.0.1:0", "--log-level",
                "warn", "--max-connections", "20000"}});
  if (!program) return program.error();
  auto address = ServerAddress::Parse((*program)->url());
  if (!address) return address.error();
  const pid_t pid = (*program)->pid();
  return RelayUnderTest(kOurs, std::move(*address), std::move(*program), pid);
}

Result<RelayUnderTest> RelayUnderTest::Peer(const RunOptions& options) {
  const PeerServer& peer = options.peer_relay;
  auto address = ServerAddress::Parse(peer.url);
  if (!address) return address.error();
  return RelayUnderTest(peer.name, std::move(*address), nullptr, peer.pid);
}

std::optional<ProcessUsage> RelayUnderTest::Usage() const {
  if (pid_ == 0) return std::nullopt;
  const auto usage = ProcessUsage::Read(pid_);
  return usage.ok() ? std::optional(*usage) : std::nullopt;
}

Result<RelayUnderTest::Figures> RelayUnderTest::Measure(LoadOptions load) const {
  load.server = address_;
  const auto before = Usage();
  auto figures = RunTrickleLoad(load);
  if (!figures) return Error{figures.error().code, name_ + ": " + figures.error().message};
  const auto after = Usage();
  Figures all{.load = std::move(*figures)};
  if (before && after) {
    all.cpu_seconds = std::chrono::duration<double>(after->cpu - before->cpu).count();
    all.rss_mib = static_cast<double>(after->rss_bytes) / (1024 * 1024);
  }
  return all;
}

}  // namespace framelock::bench
