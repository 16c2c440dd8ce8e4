// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/api/daemon_rig.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "pipeline/core/unique_fd.h"

namespace framelock::test {

using nlohmann::json;

namespace {

// Until "listening on http://HOST:PORT" stands in it.
std::uint16_t ReadPort(int fd) {
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 100) != 1) continue;
    std::array<char, 256> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    std::smatch match;
    static const std::regex kLine("listening on http://[^ ]*:([0-9]+)\n");
    if (std::regex_search(text, match, kLine)) {
      return static_cast<std::uint16_t>(std::stoi(match[1]));
    }
  }
  ADD_FAILURE() << "framelockd does not listen: " << text;
  return 0;
}

}  // namespace

DaemonRig::DaemonRig(std::vector<std::string> arguments) {
  const char* bin = std::getenv("FRAMELOCK_BIN");
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  process::SpawnOptions options;
  options.argv = {std::string(bin == nullptr ? "bin" : bin) + "/framelockd", "--listen",
                  "127.0.0.1:0", "--allow-host", "test"};  // what HttpProbe calls its host
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.inherit_fds = {{write_end.get(), 1}};
  options.capture_stderr = std::getenv("FRAMELOCK_TEST_LOG") == nullptr;
  auto spawned = process::ChildProcess::Spawn(options);
  if (!spawned) {
    ADD_FAILURE() << spawned.error().message;
    std::abort();
  }
  process_ = std::move(*spawned);
  write_end.reset();
  port_ = ReadPort(read_end.get());
}

DaemonRig::~DaemonRig() {
  process_->Signal(SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!process_->Wait(std::chrono::milliseconds(20)) &&
         std::chrono::steady_clock::now() < deadline) {
    process_->DrainStderr();
  }
}

DaemonRig::Answer DaemonRig::Call(const std::string& method, const std::string& path,
                                  const std::string& body, HttpProbe::Headers headers) const {
  process_->DrainStderr();
  HttpProbe probe(port_);
  probe.Request(method, path, headers, body);
  Answer answer;
  // A first start waits for GStreamer to scan its plugins.
  if (!probe.ReadHead(std::chrono::seconds(40))) return answer;
  answer.status = probe.status();
  answer.body = json::parse(probe.Body().value_or(""), nullptr, false);
  return answer;
}

DaemonRig::Answer DaemonRig::Start(const std::string& id, const json& params) const {
  const json body = {{"subscribe_url", "http://127.0.0.1:9/in"},
                     {"publish_url", "http://127.0.0.1:9/out"},
                     {"gateway_request_id", id},
                     {"params", params}};
  return Call("POST", "/stream/start", body.dump());
}

json DaemonRig::Status(const std::string& id) const {
  return Call("GET", "/stream/" + id + "/status").body;
}

std::set<pid_t> DaemonRig::Family() const {
  std::set<pid_t> found;
  std::vector<pid_t> open{process_->pid()};
  while (!open.empty()) {
    const std::string tasks = "/proc/" + std::to_string(open.back()) + "/task";
    open.pop_back();
    std::error_code ignored;
    for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
      std::ifstream children(task.path() / "children");
      for (pid_t pid = 0; children >> pid;) {
        found.insert(pid);
        open.push_back(pid);
      }
    }
  }
  return found;
}

bool Eventually(const std::function<bool()>& predicate, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool Alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return false;
  const std::size_t end = text.rfind(')');
  return end != std::string::npos && end + 2 < text.size() && text[end + 2] != 'Z';
}

std::size_t OpenFds(pid_t pid) {
  std::error_code ignored;
  const std::filesystem::directory_iterator fds("/proc/" + std::to_string(pid) + "/fd", ignored);
  return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

}  // namespace framelock::test
