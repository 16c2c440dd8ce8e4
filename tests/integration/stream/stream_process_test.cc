// SPDX-License-Identifier: Apache-2.0
// framelock-stream as framelockd starts it, and as people do without framelockd.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>

#include "pipeline/core/sealed_text.h"
#include "pipeline/process/child_process.h"
#include "pipeline/stream/control.h"
#include "tests/support/worker_session.h"

namespace framelock::stream {
namespace {

using nlohmann::json;
using process::ChildProcess;
using process::ExitStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr char kInvert[] = R"({"1":{"class_type":"LoadTensor","inputs":{}},
  "2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},
  "3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}})";
constexpr char kPlain[] = R"({"1":{"class_type":"LoadTensor","inputs":{}},
  "3":{"class_type":"SaveTensor","inputs":{"images":["1",0]}}})";

std::string Program(const std::string& name) {
  const char* bin = std::getenv("FRAMELOCK_BIN");
  return std::string(bin == nullptr ? "bin" : bin) + "/" + name;
}

std::unique_ptr<ChildProcess> Spawn(std::vector<std::string> argv,
                                    std::vector<std::pair<int, int>> fds = {}) {
  process::SpawnOptions options;
  options.argv = std::move(argv);
  options.argv[0] = Program(options.argv[0]);
  options.inherit_fds = std::move(fds);
  auto child = ChildProcess::Spawn(options);
  EXPECT_TRUE(child.ok()) << child.error().message;
  return child.ok() ? std::move(*child) : nullptr;
}

// Waits for the end while its standard error is read.
std::optional<ExitStatus> WaitFor(ChildProcess& child, milliseconds patience = seconds(10)) {
  const auto deadline = steady_clock::now() + patience;
  while (steady_clock::now() < deadline) {
    child.DrainStderr();
    if (auto status = child.Wait(milliseconds(10))) return status;
  }
  return std::nullopt;
}

std::string Stderr(ChildProcess& child) {
  child.DrainStderr();
  std::string text;
  for (const std::string& line : child.stderr_tail()) text += line + "\n";
  return text;
}

void ExpectExit(ChildProcess& child, int code, milliseconds patience = seconds(10)) {
  const auto status = WaitFor(child, patience);
  ASSERT_TRUE(status.has_value()) << "it still runs\n" << Stderr(child);
  EXPECT_FALSE(status->signalled) << status->ToString();
  EXPECT_EQ(status->code, code) << Stderr(child);
}

json Config(const std::string& input, const std::string& output) {
  return {{"id", "test"}, {"subscribe_url", input}, {"publish_url", output},
          {"width", 320}, {"height", 240},          {"gop_seconds", 1}};
}

// A port that nobody listens on.
std::string DeadUrl() { return "http://127.0.0.1:1/nothing"; }

// framelock-stream with this test in the place of framelockd.
class Stream {
 public:
  explicit Stream(const json& config) {
    auto pair = PacketSocket::CreatePair();
    const auto text = SealText(config.dump());
    const UniqueFd theirs = pair->second.release();
    control.emplace(std::move(pair->first));
    process = Spawn({"framelock-stream", "--config-fd", "3", "--control-fd", "4",
                     "--die-with-parent", std::to_string(::getpid())},
                    {{text->get(), 3}, {theirs.get(), 4}});
  }

  // The next message of this type that satisfies `wanted`; null if it does not come.
  json Expect(const std::string& type, const std::function<bool(const json&)>& wanted = {},
              milliseconds patience = seconds(20)) {
    const auto deadline = steady_clock::now() + patience;
    while (steady_clock::now() < deadline) {
      process->DrainStderr();
      auto message = control->Receive();
      if (!message) break;
      if (!*message) {
        pollfd entry{control->fd(), POLLIN, 0};
        ::poll(&entry, 1, 20);
        continue;
      }
      json body = std::move((*message)->body);
      if (body["type"] == "status") last_status = body["status"];
      if (body["type"] == type && (!wanted || wanted(body))) return body;
    }
    ADD_FAILURE() << "no " << type << " came; last status " << last_status << "\n"
                  << Stderr(*process);
    return {};
  }
  json ExpectStatus(const std::function<bool(const json&)>& wanted) {
    return Expect("status", [&](const json& body) { return wanted(body["status"]); })["status"];
  }
  void Send(const json& message, int fd = -1) { EXPECT_TRUE(control->Send(message, fd).ok()); }
  void SendPrompt(int request, const std::string& prompt) {
    const auto text = SealText(prompt);
    Send({{"type", "set_prompt"}, {"request", request}}, text->get());
  }

  std::optional<ControlChannel> control;
  std::unique_ptr<ChildProcess> process;
  json last_status;
};

TEST(StreamProcess, ReportsAnUnreachableInputAndStops) {
  Stream stream(Config(DeadUrl(), DeadUrl()));
  stream.Expect("started");
  const json status = stream.ExpectStatus(
      [](const json& s) { return !s["last_error"].get<std::string>().empty(); });
  EXPECT_EQ(status["state"], "waiting_for_input");
  stream.Send({{"type", "stop"}});
  EXPECT_EQ(stream.Expect("ended")["reason"], "stopped");
  EXPECT_EQ(stream.last_status["state"], "ended");
  ExpectExit(*stream.process, 0, seconds(5));
}

TEST(StreamProcess, GivesUpOnAnInputThatNeverComes) {
  json config = Config(DeadUrl(), DeadUrl());
  config["input_retry_seconds"] = 1;
  Stream stream(config);
  const json error = stream.Expect("error");
  EXPECT_EQ(error["fatal"], true);
  EXPECT_FALSE(error["message"].get<std::string>().empty());
  EXPECT_EQ(stream.Expect("ended")["reason"], "error");
  EXPECT_EQ(stream.last_status["state"], "error");
  ExpectExit(*stream.process, 1);
}

TEST(StreamProcess, IsGoneAsSoonAsItsDaemonIs) {
  Stream stream(Config(DeadUrl(), DeadUrl()));
  stream.Expect("started");
  stream.control.reset();
  ExpectExit(*stream.process, 1, seconds(1));
}

TEST(StreamProcess, EndsOnSigterm) {
  Stream stream(Config(DeadUrl(), DeadUrl()));
  stream.Expect("started");
  stream.process->Signal(SIGTERM);
  EXPECT_EQ(stream.Expect("ended")["reason"], "stopped");
  ExpectExit(*stream.process, 0, seconds(5));
}

TEST(StreamProcess, APromptThatWaitsHoldsNothingUp) {
  Stream stream(Config(DeadUrl(), DeadUrl()));
  stream.Expect("started");
  stream.SendPrompt(1, kPlain);  // nobody is there to apply it
  const auto began = steady_clock::now();
  for (int i = 0; i < 4; ++i) stream.Expect("status");
  EXPECT_LT(steady_clock::now() - began, seconds(5));
  for (int i = 2; i < 20; ++i) stream.SendPrompt(i, kPlain);
  const json refused = stream.Expect("prompt_result");
  EXPECT_EQ(refused["applied"], false);
  EXPECT_THAT(refused["errors"]["error"], HasSubstr("too many"));
  stream.Send({{"type", "stop"}});
  stream.Expect("ended");
  ExpectExit(*stream.process, 0, seconds(5));
}

TEST(StreamProcess, BearsMessagesThatItDoesNotUnderstand) {
  Stream stream(Config(DeadUrl(), DeadUrl()));
  stream.Expect("started");
  stream.Send({{"type", "dance"}});
  stream.Send({{"type", "worker"}});
  stream.Send({{"type", "set_prompt"}, {"request", "x"}});
  stream.Expect("status");
  stream.Send({{"type", "stop"}});
  EXPECT_EQ(stream.Expect("ended")["reason"], "stopped");
}

struct BadArguments {
  std::vector<std::string> arguments;
  const char* words;
};

TEST(StreamProcess, RefusesBadArguments) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("framelock-stream-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto file = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  const std::string prompt = file("prompt.json", kInvert);
  const std::string good = file("good.json", Config(DeadUrl(), DeadUrl()).dump());
  const std::vector<BadArguments> table = {
      {{"--prompt", prompt}, "--config"},
      {{"--config", good}, "--prompt is needed"},
      {{"--config", file("a", "{"), "--prompt", prompt}, "not JSON"},
      {{"--config", file("b", "{}"), "--prompt", prompt}, "id: is missing"},
      {{"--config", file("c", R"({"id":"x"})"), "--prompt", prompt}, "subscribe_url: is missing"},
      {{"--config", file("d", R"({"id":"x","width":"wide"})"), "--prompt", prompt},
       "width: must be an integer"},
      {{"--config", good, "--control-fd", "0"}, "--control-fd"},
      {{"--config", good, "--prompt", prompt, "--log-level", "loud"}, "loud"},
      {{"--config", good, "--prompt", prompt, "--stop-timeout", "-1"}, "--stop-timeout"},
      {{"--no-such-option"}, "--no-such-option"}};
  for (const BadArguments& bad : table) {
    std::vector<std::string> argv = {"framelock-stream"};
    argv.insert(argv.end(), bad.arguments.begin(), bad.arguments.end());
    const auto child = Spawn(argv);
    ExpectExit(*child, 2);
    EXPECT_THAT(Stderr(*child), HasSubstr(bad.words));
  }
  std::filesystem::remove_all(folder);
}

// A relay with a live source on channel "in".
class LiveChannel {
 public:
  LiveChannel() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reading(ends[0]);
    {
      const UniqueFd writing(ends[1]);
      relay_ = Spawn({"framelock-relay", "--listen", "127.0.0.1:0"}, {{writing.get(), 1}});
    }
    std::string line;
    for (char c = 0; ::read(reading.get(), &c, 1) == 1 && c != '\n';) line += c;
    std::smatch found;
    EXPECT_TRUE(std::regex_search(line, found, std::regex("http://[0-9.:]+"))) << line;
    url_ = found.str();
    source_ =
        Run("framelock-demo-source", {"--publish", Url("in"), "--width", "320", "--height", "240"});
  }

  [[nodiscard]] std::string Url(const std::string& channel) const { return url_ + "/" + channel; }

  // What a reader of channel "out" finds.
  json Check(std::vector<std::string> arguments) const {
    const auto report = std::filesystem::temp_directory_path() /
                        ("framelock-report-" + std::to_string(::getpid()) + ".json");
    arguments.insert(arguments.end(), {"--subscribe", Url("out"), "--report", report.string()});
    const auto check = Run("framelock-demo-check", arguments);
    const auto status = WaitFor(*check, seconds(40));
    EXPECT_TRUE(status.has_value()) << Stderr(*check);
    std::ifstream file(report);
    json result = json::parse(file, nullptr, false);
    std::filesystem::remove(report);
    EXPECT_TRUE(result.is_object()) << Stderr(*check);
    return result;
  }

  void EndSource() {
    source_->Signal(SIGTERM);
    EXPECT_TRUE(WaitFor(*source_));
  }

 private:
  static std::unique_ptr<ChildProcess> Run(const std::string& name,
                                           const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {name};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    return Spawn(argv, {{nothing.get(), 1}});
  }

  std::unique_ptr<ChildProcess> relay_, source_;
  std::string url_;
};

// A worker that has applied a prompt, and the socket to lend.
struct ReadyWorker {
  std::unique_ptr<ChildProcess> process;
  PacketSocket socket;

  static ReadyWorker Start(const std::string& prompt) {
    auto session = host::WorkerSession::Start({.argv = {Program("framelock-worker")}});
    session->Expect<host::WorkerClient::Welcomed>();
    session->Apply(1, prompt);
    return {std::move(session->process), session->client->Release()};
  }
};

bool Processes(const json& status) {
  return status["state"] == "running" && status["account"]["completed"] > 10;
}

// The segment that the check joins may have begun before.
void ExpectInTheEnd(const json& report, const std::string& polarity) {
  EXPECT_EQ(report["passed"], true) << report;
  EXPECT_LE(report["polarity_changes"].size(), 1U) << report;
  EXPECT_EQ(report["inverted_now"], polarity == "inverted") << report;
}

TEST(StreamProcess, RunsWithLentWorkersThroughLossAndNewPrompts) {
  LiveChannel channel;
  Stream stream(Config(channel.Url("in"), channel.Url("out")));
  stream.Expect("started");
  // Without a worker the source passes through, and the state says so.
  stream.ExpectStatus([](const json& s) { return s["state"] == "degraded"; });

  ReadyWorker first = ReadyWorker::Start(kInvert);
  stream.Send({{"type", "worker"}, {"lease", 7}}, first.socket.fd());
  first.socket = PacketSocket();
  const json running = stream.ExpectStatus(Processes);
  EXPECT_EQ(running["worker"]["pid"], first.process->pid());
  ExpectInTheEnd(channel.Check({"--frames", "40"}), "inverted");

  stream.SendPrompt(1, kPlain);
  const json applied = stream.Expect("prompt_result");
  EXPECT_EQ(applied["request"], 1);
  EXPECT_EQ(applied["applied"], true) << applied;
  EXPECT_GT(applied["revision"], 1);
  stream.SendPrompt(2, R"({"1":{"class_type":"NoSuchNode","inputs":{}}})");
  const json rejected = stream.Expect("prompt_result");
  EXPECT_EQ(rejected["request"], 2);
  EXPECT_EQ(rejected["applied"], false);
  EXPECT_FALSE(rejected["errors"].empty());

  first.process->Kill();
  const json lost = stream.Expect("worker_lost");
  EXPECT_EQ(lost["lease"], 7);
  EXPECT_EQ(lost["reason"], "closed");
  ReadyWorker second = ReadyWorker::Start(kPlain);
  stream.Send({{"type", "worker"}, {"lease", 8}}, second.socket.fd());
  second.socket = PacketSocket();
  stream.ExpectStatus([&](const json& s) {
    return s["state"] == "running" && s["worker"]["pid"] == second.process->pid();
  });

  stream.Send({{"type", "stop"}});
  EXPECT_EQ(stream.Expect("ended")["reason"], "stopped");
  ExpectExit(*stream.process, 0, seconds(5));
  const json& account = stream.last_status["account"];
  EXPECT_EQ(account["inputs"].get<int>(),
            account["completed"].get<int>() + account["skipped"].get<int>() +
                account["failed"].get<int>() + account["lost"].get<int>() +
                account["open"].get<int>())
      << account;
}

TEST(StreamProcess, LetsAnotherWorkerTakeOverAndGivesTheOneBeforeBack) {
  LiveChannel channel;
  Stream stream(Config(channel.Url("in"), channel.Url("out")));
  stream.Expect("started");
  const ReadyWorker first = ReadyWorker::Start(kInvert);
  const ReadyWorker second = ReadyWorker::Start(kPlain);
  stream.Send({{"type", "worker"}, {"lease", 1}}, first.socket.fd());
  stream.ExpectStatus(Processes);
  stream.Send({{"type", "switch_worker"}, {"lease", 2}}, second.socket.fd());
  const json switched = stream.Expect("switched");
  EXPECT_EQ(switched["lease"], 2);
  EXPECT_EQ(switched["applied"], true) << switched;
  EXPECT_EQ(switched["in_force"], true);
  ExpectInTheEnd(channel.Check({"--frames", "40"}), "plain");
  // The one before is ours again.
  auto again = host::WorkerSession::Join(PacketSocket(UniqueFd(::dup(first.socket.fd()))));
  EXPECT_EQ(again->Expect<host::WorkerClient::Welcomed>().revision, 1u);
  again->client->Release();
  // And no other's end is taken for the new one's.
  first.process->Kill();
  second.process->Kill();
  EXPECT_EQ(stream.Expect("worker_lost")["lease"], 2);
  const ReadyWorker third = ReadyWorker::Start(kInvert);
  stream.Send({{"type", "worker"}, {"lease", 3}}, third.socket.fd());
  stream.ExpectStatus([&](const json& s) {
    return s["state"] == "running" && s["worker"]["pid"] == third.process->pid();
  });
  stream.Send({{"type", "switch_worker"}, {"lease", 4}}, second.socket.fd());
  const json refused = stream.Expect("switched");
  EXPECT_EQ(refused["applied"], false);
  EXPECT_EQ(refused["in_force"], false);
  EXPECT_FALSE(refused["errors"].empty());
  stream.Send({{"type", "stop"}});
  ExpectExit(*stream.process, 0, seconds(5));
}

TEST(StreamProcess, EndsWithItsInput) {
  LiveChannel channel;
  Stream stream(Config(channel.Url("in"), channel.Url("out")));
  ReadyWorker worker = ReadyWorker::Start(kInvert);
  stream.Send({{"type", "worker"}, {"lease", 1}}, worker.socket.fd());
  worker.socket = PacketSocket();
  stream.ExpectStatus(Processes);
  channel.EndSource();
  EXPECT_EQ(stream.Expect("ended")["reason"], "eos");
  EXPECT_EQ(stream.last_status["state"], "ended");
  EXPECT_EQ(stream.last_status["account"]["open"], 0);
  ExpectExit(*stream.process, 0, seconds(5));
}

TEST(StreamProcess, StartsItsOwnWorkerWithoutADaemon) {
  LiveChannel channel;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("framelock-alone-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << Config(channel.Url("in"), channel.Url("out")).dump();
  std::ofstream(folder / "prompt.json") << kInvert;
  const UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto alone = Spawn(
      {"framelock-stream", "--config", folder / "config.json", "--prompt", folder / "prompt.json"},
      {{nothing.get(), 1}});
  const json report = channel.Check({"--frames", "40", "--expect", "inverted"});
  EXPECT_EQ(report["mismatched"], 0) << report;
  EXPECT_GT(report["inverted_frames"], 0) << report;
  alone->Signal(SIGTERM);
  ExpectExit(*alone, 0, seconds(5));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace framelock::stream
