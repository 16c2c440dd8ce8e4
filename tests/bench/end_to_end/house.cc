// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/house.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace framelock::bench {

namespace {

constexpr std::chrono::seconds kSparePatience{20};

std::string WithSlash(std::string url) {
  if (!url.ends_with('/')) url += '/';
  return url;
}

}  // namespace

std::string House::NewName(const std::string& what) {
  static std::atomic<int> made{0};
  return "bench-" + what + "-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
}

Result<std::unique_ptr<House>> House::Start(const RunOptions& run,
                                            const std::vector<std::string>& daemon_arguments) {
  std::unique_ptr<House> house(new House);
  auto relay = ChildProgram::StartServer(
      {.argv = {run.Program("framelock-relay"), "--listen", "127.0.0.1:0", "--log-level", "warn"}});
  if (!relay) return relay.error();
  house->relay_ = std::move(*relay);
  house->relay_url_ = WithSlash(house->relay_->url());
  house->daemon_argv_ = {run.Program("framelockd"), "--listen", "127.0.0.1:0", "--log-level",
                         "error"};
  house->daemon_argv_.insert(house->daemon_argv_.end(), daemon_arguments.begin(),
                             daemon_arguments.end());
  if (const Status started = house->StartDaemon(); !started) return started.error();
  return house;
}

Status House::StartDaemon() {
  auto daemon = ChildProgram::StartServer({.argv = daemon_argv_, .extra_env = {}});
  if (!daemon) return daemon.error();
  daemon_ = std::move(*daemon);
  auto api = ApiClient::Open(daemon_->url());
  if (!api) return api.error();
  api_ = std::move(*api);
  return {};
}

Status House::RestartDaemon() {
  api_.reset();
  daemon_.reset();
  return StartDaemon();
}

Status House::CreateChannel(const std::string& name) {
  if (!channels_) {
    auto channels = ApiClient::Open(relay_url_);
    if (!channels) return channels.error();
    channels_ = std::move(*channels);
  }
  const auto created = channels_->Ask("POST", "/" + name);
  return created ? Status() : Status(created.error());
}

Result<std::unique_ptr<House>> House::Visit(const RunOptions& run, const House& ours) {
  std::unique_ptr<House> house(new House);
  house->relay_url_ = run.peer_relay.named() ? WithSlash(run.peer_relay.url) : ours.relay_url_;
  auto api = ApiClient::Open(run.peer_api.url);
  if (!api) return api.error();
  house->api_ = std::move(*api);
  return house;
}

Status House::WaitForSpareWorker() {
  const auto deadline = std::chrono::steady_clock::now() + kSparePatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto health = api_->Ask("GET", "/health");
    if (!health) return health.error();
    if (health->value("ready_workers", 0) > 0) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return Error{ErrorCode::kTimeout, "no worker is ready"};
}

Result<Houses> Houses::Open(const RunOptions& run,
                            const std::vector<std::string>& daemon_arguments) {
  Houses houses;
  auto ours = House::Start(run, daemon_arguments);
  if (!ours) return ours.error();
  houses.ours = std::move(*ours);
  if (!run.peer_api.named()) return houses;
  auto peer = House::Visit(run, *houses.ours);
  if (!peer) return peer.error();
  houses.peer = std::move(*peer);
  return houses;
}

}  // namespace framelock::bench
