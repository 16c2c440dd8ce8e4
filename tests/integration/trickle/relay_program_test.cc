// SPDX-License-Identifier: Apache-2.0
// framelock-relay as its users start it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "pipeline/process/child_process.h"
#include "tests/support/http_probe.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;
using ::testing::HasSubstr;

class RelayProgram {
 public:
  explicit RelayProgram(std::vector<std::string> arguments) {
    const char* bin = std::getenv("FRAMELOCK_BIN");
    arguments.insert(arguments.begin(), std::string(bin ? bin : "bin") + "/framelock-relay");
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    stdout_ = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    process::SpawnOptions options;
    options.argv = std::move(arguments);
    options.inherit_fds = {{theirs.get(), 1}};
    auto child = process::ChildProcess::Spawn(options);
    EXPECT_TRUE(child.ok()) << child.error().message;
    if (child.ok()) child_ = std::move(child).value();
  }

  /// The first line on stdout.
  std::string Line() {
    std::string line;
    char c = 0;
    pollfd poll{.fd = stdout_.get(), .events = POLLIN, .revents = 0};
    while (::poll(&poll, 1, 5000) == 1 && ::read(stdout_.get(), &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  /// What stdout says to its end.
  std::string All() {
    std::string text;
    std::array<char, 4096> buffer{};
    pollfd poll{.fd = stdout_.get(), .events = POLLIN, .revents = 0};
    while (::poll(&poll, 1, 5000) == 1) {
      const ssize_t got = ::read(stdout_.get(), buffer.data(), buffer.size());
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  /// The port out of the line that scripts parse.
  std::uint16_t Port() {
    const std::string line = Line();
    EXPECT_THAT(line, ::testing::StartsWith("listening on http://127.0.0.1:"));
    return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }
  process::ChildProcess& child() { return *child_; }
  std::string Stderr() {
    child_->DrainStderr();
    std::string text;
    for (const auto& line : child_->stderr_tail()) text += line + "\n";
    return text;
  }

 private:
  UniqueFd stdout_;
  std::unique_ptr<process::ChildProcess> child_;
};

TEST(RelayProgram, ServesAndEndsInOrderAtSigterm) {
  RelayProgram relay({"--listen", "127.0.0.1:0", "--base", "/x/", "--no-autocreate", "--create",
                      "a=text/plain,b", "--log-level", "warn"});
  const std::uint16_t port = relay.Port();
  EXPECT_EQ(Ask(port, "POST", "/x/a/0", {}, "hello").status, 200);
  EXPECT_EQ(Ask(port, "GET", "/x/a/0").headers["content-type"], "text/plain");
  EXPECT_EQ(Ask(port, "GET", "/x/b/next").body, "0");
  EXPECT_EQ(Ask(port, "POST", "/x/c/0", {}, "hello").status, 404);
  EXPECT_THAT(Ask(port, "GET", "/_status").body, HasSubstr("framelock-relay"));
  HttpProbe waits(port);
  waits.Request("GET", "/x/b/0");
  EXPECT_FALSE(waits.ReadHead(100ms));
  relay.child().Signal(SIGTERM);
  ASSERT_TRUE(waits.ReadHead());
  EXPECT_EQ(waits.Header("lp-trickle-closed"), "terminated");
  waits.Close();
  const auto ended = relay.child().Wait(5s);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->signalled);
  EXPECT_EQ(ended->code, 0);
}

TEST(RelayProgram, AStubbornClientDoesNotKeepItAlive) {
  RelayProgram relay({"--listen", "127.0.0.1:0", "--log-level", "warn"});
  HttpProbe publisher(relay.Port());
  publisher.RequestChunked("POST", "/a/0").Chunk("never ends");
  EXPECT_FALSE(publisher.ReadHead(100ms));
  relay.child().Signal(SIGINT);
  const auto ended = relay.child().Wait(5s);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0);
}

TEST(RelayProgram, LimitsAreOptions) {
  RelayProgram relay({"--listen",        "127.0.0.1:0", "--max-segment-bytes", "1K",
                      "--max-channels",  "1",           "--orphan-grace",      "100ms",
                      "--deny-create",   "no",          "--max-connections",   "3",
                      "--idle-timeout",  "5m",          "--sweep-interval",    "1m",
                      "--write-timeout", "1s",          "--log-level",         "warn"});
  const std::uint16_t port = relay.Port();
  EXPECT_EQ(Ask(port, "POST", "/a/0", {}, std::string(1025, 'x')).status, 413);
  EXPECT_EQ(Ask(port, "POST", "/b", {}, "").status, 503);
  EXPECT_EQ(Ask(port, "POST", "/no", {}, "").status, 403);
}

struct BadArguments {
  std::vector<std::string> arguments;
  const char* names;  // what the message must name
};

TEST(RelayProgram, BadOptionsAreNamed) {
  const BadArguments cases[] = {
      {{"--listen", "nonsense"}, "nonsense"},
      {{"--listen", "127.0.0.1:99999"}, "99999"},
      {{"--listen", "127.0.0.1:0", "--idle-timeout", "soon"}, "soon"},
      {{"--listen", "127.0.0.1:0", "--max-segment-bytes", "16MB"}, "16MB"},
      {{"--listen", "127.0.0.1:0", "--base", "/a b"}, "/a b"},
      {{"--listen", "127.0.0.1:0", "--create", "=text/plain"}, "=text/plain"},
      {{"--listen", "127.0.0.1:0", "--log-level", "loud"}, "loud"},
      {{"--listen", "127.0.0.1:0", "--unknown"}, "--unknown"},
  };
  for (const auto& bad : cases) {
    RelayProgram relay(bad.arguments);
    const auto ended = relay.child().Wait(5s);
    ASSERT_TRUE(ended) << bad.names;
    EXPECT_NE(ended->code, 0) << bad.names;
    EXPECT_THAT(relay.Stderr(), HasSubstr(bad.names));
  }
}

// Each connection takes a descriptor, and the usual soft limit is below --max-connections.
TEST(RelayProgram, MayOpenAsManyFilesAsItsHardLimitAllows) {
  rlimit original{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &original), 0);
  rlimit low = original;
  low.rlim_cur = 512;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  RelayProgram relay({"--listen", "127.0.0.1:0", "--log-level", "warn"});
  ::setrlimit(RLIMIT_NOFILE, &original);
  relay.Port();
  rlimit theirs{};
  ASSERT_EQ(::prlimit(relay.child().pid(), RLIMIT_NOFILE, nullptr, &theirs), 0);
  EXPECT_EQ(theirs.rlim_cur, original.rlim_max);
}

TEST(RelayProgram, ListensWhereTheReadmeSaysUnlessTold) {
  RelayProgram relay({"--help"});
  EXPECT_THAT(relay.All(), HasSubstr("--listen HOST:PORT=127.0.0.1:8470"));
  EXPECT_EQ(relay.child().Wait(5s)->code, 0);
}

TEST(RelayProgram, TellsItsVersion) {
  RelayProgram relay({"--version"});
  EXPECT_THAT(relay.Line(), ::testing::StartsWith("framelock-relay "));
  EXPECT_EQ(relay.child().Wait(5s)->code, 0);
}

}  // namespace
}  // namespace framelock::relay
