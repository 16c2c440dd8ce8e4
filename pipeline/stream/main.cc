// SPDX-License-Identifier: Apache-2.0
// framelock-stream: one live stream from its input channel to its output channel.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "pipeline/core/log.h"
#include "pipeline/core/parent_death.h"
#include "pipeline/core/sealed_text.h"
#include "pipeline/stream/elements.h"
#include "pipeline/stream/stream_process.h"

namespace framelock::stream {
namespace {

constexpr std::size_t kMaxConfigBytes = 1024 * 1024;
constexpr int kBadArguments = 2;

struct Arguments {
  std::optional<int> config_fd, control_fd;
  std::optional<std::string> config_file, prompt_file, plugin_dir;
  std::optional<int> parent;
  LogOptions log{.program = "framelock-stream"};
  int status_interval_ms = 250;
  int stop_timeout_ms = 2000;
  int detect_timeout_ms = 10'000;
  std::uint64_t detect_bytes = 32u << 20;
  std::uint64_t max_decode_errors = 0;
  bool hardware = false;
  bool trace_latency = false;
};

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

Result<std::string> ReadConfig(const Arguments& arguments) {
  if (arguments.config_fd) {
    const UniqueFd fd(*arguments.config_fd);
    return ReadText(fd.get(), kMaxConfigBytes);
  }
  if (!arguments.config_file) return Wrong("either --config-fd or --config is needed");
  const UniqueFd fd(::open(arguments.config_file->c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError(*arguments.config_file);
  return ReadText(fd.get(), kMaxConfigBytes);
}

Result<StreamConfig> LoadConfig(const Arguments& arguments) {
  const Result<std::string> text = ReadConfig(arguments);
  if (!text) return text.error();
  const nlohmann::json object = nlohmann::json::parse(*text, nullptr, false);
  if (object.is_discarded()) return Wrong("the configuration is not JSON");
  return StreamConfigFromJson(object);
}

Result<StreamProcess::Options> ToOptions(const Arguments& arguments) {
  Result<StreamConfig> config = LoadConfig(arguments);
  if (!config) return config.error();
  if (!arguments.control_fd && !arguments.prompt_file) {
    return Wrong("without --control-fd nobody lends a worker: --prompt is needed");
  }
  if (arguments.prompt_file && config->worker != WorkerSettings()) {
    return Wrong("cwd, gpu_only, disable_cuda_malloc and preview_method are for lent workers");
  }
  StreamProcess::Options options;
  options.stream.config = std::move(*config);
  if (arguments.hardware) options.stream.config.hardware = true;
  if (arguments.trace_latency) options.stream.config.trace_latency = true;
  options.stream.prompt_file = arguments.prompt_file;
  options.stream.input.detect_time = std::chrono::milliseconds(arguments.detect_timeout_ms);
  options.stream.input.detect_bytes = arguments.detect_bytes;
  options.stream.input.max_decode_errors = arguments.max_decode_errors;
  options.status_interval = std::chrono::milliseconds(arguments.status_interval_ms);
  options.stop_timeout = std::chrono::milliseconds(arguments.stop_timeout_ms);
  if (arguments.control_fd) {
    Result<PacketSocket> control = PacketSocket::Adopt(UniqueFd(*arguments.control_fd));
    if (!control) return Wrong("--control-fd: " + control.error().message);
    options.control = std::move(*control);
  }
  return options;
}

// Blocked here, in the first thread, so that every later one inherits it.
void BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int Complain(const Error& error) {
  std::fprintf(stderr, "framelock-stream: %s\n", error.message.c_str());
  return error.code == ErrorCode::kInvalidArgument ? kBadArguments : 1;
}

int Main(const Arguments& arguments) {
  BlockSignals();
  if (arguments.parent) {
    if (const Status tied = DieWithParent(*arguments.parent); !tied) return Complain(tied.error());
  }
  if (const Status log = InitLog(arguments.log); !log) return Complain(log.error());
  if (const Status started = InitGStreamer(arguments.plugin_dir); !started) {
    return Complain(started.error());
  }
  LoadLibraries();
  // It may come long after the start of the process: framelockd keeps one waiting for it.
  Result<StreamProcess::Options> options = ToOptions(arguments);
  if (!options) return Complain(options.error());
  const std::string id = options->stream.config.id;
  Result<std::unique_ptr<StreamProcess>> process = StreamProcess::Create(std::move(*options));
  if (!process) return Complain(process.error());
  spdlog::info("stream={} starts", id);
  const int code = (*process)->Run();
  spdlog::info("stream={} ends with code {}", id, code);
  return code;
}

void AddOptions(CLI::App& app, Arguments& arguments) {
  auto* config_fd = app.add_option("--config-fd", arguments.config_fd,
                                   "descriptor of the configuration (JSON), read to its end");
  auto* config = app.add_option("--config", arguments.config_file, "file of the configuration");
  config->excludes(config_fd);
  auto* control = app.add_option("--control-fd", arguments.control_fd,
                                 "SOCK_SEQPACKET socket to framelockd, which lends the worker");
  auto* prompt = app.add_option("--prompt", arguments.prompt_file,
                                "prompt file for a worker of its own; reports on standard output");
  prompt->excludes(control);
  app.add_option("--die-with-parent", arguments.parent,
                 "pid of the parent: die when its spawning thread does");
  app.add_option("--plugin-path", arguments.plugin_dir, "directory of libgstframelock.so");
  app.add_option("--log-level", arguments.log.level)->capture_default_str();
  app.add_flag("--log-json", arguments.log.json, "one JSON object a line");
  app.add_flag("--hw", arguments.hardware,
               "decode and encode in hardware where GStreamer has it and it starts, whatever the "
               "configuration says");
  app.add_flag("--trace-latency", arguments.trace_latency,
               "measure where each frame's time goes, hop by hop: in the status and, every 5 s, in "
               "the log");
  const CLI::Range milliseconds(1, 3'600'000);
  app.add_option("--status-interval", arguments.status_interval_ms, "ms between two reports")
      ->check(milliseconds)
      ->capture_default_str();
  app.add_option("--stop-timeout", arguments.stop_timeout_ms, "ms for the output to finish")
      ->check(milliseconds)
      ->capture_default_str();
  app.add_option("--detect-timeout", arguments.detect_timeout_ms,
                 "ms from the first input byte to the first picture")
      ->check(milliseconds)
      ->capture_default_str();
  app.add_option("--detect-bytes", arguments.detect_bytes, "input bytes until the first picture")
      ->capture_default_str();
  app.add_option("--max-decode-errors", arguments.max_decode_errors,
                 "access units in a row without a picture before the stream fails; 0: never")
      ->capture_default_str();
}

}  // namespace
}  // namespace framelock::stream

int main(int argc, char** argv) {
  framelock::stream::Arguments arguments;
  CLI::App app("Runs one live stream: channel, decoder, workerfilter, encoder, channel");
  framelock::stream::AddOptions(app, arguments);
  app.set_version_flag("--version", "framelock-stream " FRAMELOCK_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = app.exit(error) == 0;
    return asked ? 0 : framelock::stream::kBadArguments;
  }
  return framelock::stream::Main(arguments);
}
