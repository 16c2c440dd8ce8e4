// SPDX-License-Identifier: Apache-2.0
#include "api/daemon_options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <utility>

#include "api/version.h"
#include "pipeline/process/child_process.h"
#include "workers/host/worker_process.h"

namespace framelock::api {

namespace {

constexpr int kPromptLeadMs = 5000;

// What CLI11 fills; turned into DaemonOptions afterwards.
struct Words {
  std::string worker_command;
  std::string stream_command;
  long worker_timeout_ms;
  long prompt_timeout_ms;
  long media_timeout_ms;
  long media_silence_ms;
  long stop_timeout_ms;
  long header_timeout_s;
  long body_timeout_s;
  long idle_timeout_s;
  long write_timeout_s;
};

void AddServerOptions(CLI::App& app, DaemonOptions& options, Words& words) {
  app.add_option("--listen", options.http.listen, "HOST:PORT of the control API; port 0 picks one")
      ->capture_default_str();
  app.add_option("--cors-origin", options.api.origins.cors_origins,
                 "origin of a web page that may use the API (repeatable; * for all)");
  app.add_option("--allow-host", options.api.origins.allowed_hosts,
                 "name that a Host header may hold besides IP addresses and localhost (repeatable; "
                 "without one, any name may on a listener that is not loopback)");
  app.add_option("--max-connections", options.http.max_connections, "further ones get 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app.add_option("--max-header-bytes", options.http.max_header_bytes, "of one request")
      ->capture_default_str()
      ->check(CLI::Range(1024, 1 << 20));
  app.add_option("--max-body-bytes", options.api.max_body_bytes, "of one request, else 413")
      ->capture_default_str()
      ->check(CLI::Range(1024, 16 << 20));
  app.add_option("--max-json-depth", options.api.json.max_depth, "of bodies and prompts")
      ->capture_default_str()
      ->check(CLI::Range(8, 500));
  app.add_option("--max-json-values", options.api.json.max_values, "of bodies and prompts")
      ->capture_default_str()
      ->check(CLI::Range(100, 10'000'000));
  app.add_option("--header-timeout", words.header_timeout_s, "seconds for a request's head")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  app.add_option("--body-timeout", words.body_timeout_s, "seconds for a request's body")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  app.add_option("--idle-timeout", words.idle_timeout_s, "seconds between two requests")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  app.add_option("--write-timeout", words.write_timeout_s, "seconds a peer may take nothing")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

void AddStreamOptions(CLI::App& app, DaemonOptions& options, Words& words) {
  app.add_option("--max-streams", options.streams.max_streams, "that run at once, else 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--max-ended-streams", options.streams.max_ended,
                 "ended or failed ones that are kept to be looked at")
      ->capture_default_str()
      ->check(CLI::Range(0, 10'000));
  app.add_option("--max-waiting-updates", options.stream_limits.max_waiting_updates,
                 "update-prompts calls of one stream, else 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--stream-command", words.stream_command, "instead of framelock-stream");
  app.add_option("--media-timeout-ms", words.media_timeout_ms, "for a framelock-stream to start")
      ->capture_default_str()
      ->check(CLI::Range(100, 600'000));
  app.add_option("--media-silence-ms", words.media_silence_ms,
                 "without a word from a framelock-stream: it is replaced")
      ->capture_default_str()
      ->check(CLI::Range(500, 600'000));
  app.add_option("--stop-timeout-ms", words.stop_timeout_ms,
                 "for a process to end when asked; SIGTERM and SIGKILL follow")
      ->capture_default_str()
      ->check(CLI::Range(10, 60'000));
  app.add_option("--max-restarts", options.stream_limits.restart.max_restarts,
                 "of a stream's worker or media process within 60 s, then the stream has failed")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
}

void AddWorkerOptions(CLI::App& app, DaemonOptions& options, Words& words) {
  app.add_option("--worker-command", words.worker_command, "instead of framelock-worker");
  app.add_option("--warm-workers", options.pool.warm_spares, "workers kept ready")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--worker-timeout-ms", words.worker_timeout_ms, "until a start has a worker")
      ->capture_default_str()
      ->check(CLI::Range(100, 600'000));
  app.add_option("--prompt-timeout-ms", words.prompt_timeout_ms, "for a worker to judge a prompt")
      ->capture_default_str()
      ->check(CLI::Range(100, 600'000));
}

// Of all streams; a start request may name others for its own.
void AddHangOptions(CLI::App& app, stream::StreamConfig& defaults) {
  constexpr int kDayMs = 86'400'000;
  app.add_option("--worker-heartbeat-timeout-ms", defaults.worker_heartbeat_timeout_ms,
                 "that a worker's heartbeat may stand still, then it is replaced")
      ->capture_default_str()
      ->check(CLI::Range(200, kDayMs));
  app.add_option("--worker-first-frame-timeout-ms", defaults.worker_first_frame_timeout_ms,
                 "for the first frame of a worker, prompt or format, while the heart beats")
      ->capture_default_str()
      ->check(CLI::Range(1, kDayMs));
  app.add_option("--worker-frame-timeout-ms", defaults.worker_frame_timeout_ms,
                 "for each later frame, or the factor times the p95 of service times, if more")
      ->capture_default_str()
      ->check(CLI::Range(1, kDayMs));
  app.add_option("--worker-frame-timeout-factor", defaults.worker_frame_timeout_factor,
                 "multiple of the p95 of service times that a frame may take")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--worker-load-timeout-ms", defaults.worker_load_timeout_ms,
                 "for a worker in a stream to answer a prompt or a new format")
      ->capture_default_str()
      ->check(CLI::Range(1, kDayMs));
}

Words DefaultWords(const DaemonOptions& options) {
  const auto ms = [](auto duration) {
    return static_cast<long>(std::chrono::milliseconds(duration).count());
  };
  const auto s = [](auto duration) {
    return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  return Words{.worker_command = {},
               .stream_command = {},
               .worker_timeout_ms = ms(options.stream_limits.worker_timeout),
               .prompt_timeout_ms = ms(options.stream_limits.prompt_timeout),
               .media_timeout_ms = ms(options.stream_limits.media_timeout),
               .media_silence_ms = ms(options.stream_limits.media_silence),
               .stop_timeout_ms = ms(options.stream_limits.ladder.cooperative),
               .header_timeout_s = s(options.http.header_timeout),
               .body_timeout_s = s(options.http.body_timeout),
               .idle_timeout_s = s(options.http.idle_timeout),
               .write_timeout_s = s(options.http.write_timeout)};
}

Status ApplyCommands(const Words& words, DaemonOptions& options) {
  options.pool.command = host::DefaultWorkerCommand();
  const std::vector<std::string> level{"--log-level", options.log.level};
  options.pool.command.argv.insert(options.pool.command.argv.end(), level.begin(), level.end());
  if (!words.worker_command.empty()) {
    auto split = host::SplitCommandLine(words.worker_command);
    if (!split) return Error{split.error().code, "--worker-command: " + split.error().message};
    options.pool.command.argv = std::move(*split);
  }
  options.stream_command = {process::OwnDirectory() + "/framelock-stream"};
  options.stream_command.insert(options.stream_command.end(), level.begin(), level.end());
  if (!words.stream_command.empty()) {
    auto split = host::SplitCommandLine(words.stream_command);
    if (!split) return Error{split.error().code, "--stream-command: " + split.error().message};
    options.stream_command = std::move(*split);
  }
  if (options.pool.command.argv.empty() || options.stream_command.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        std::string(options.stream_command.empty() ? "--stream-command" : "--worker-command") +
            ": is empty"};
  }
  // The loop's thread spawns them and lives as long as the process.
  options.pool.command.die_with_parent_thread = true;
  return {};
}

Status Apply(const Words& words, DaemonOptions& options) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  StreamLimits& limits = options.stream_limits;
  limits.worker_timeout = milliseconds(words.worker_timeout_ms);
  limits.prompt_timeout = milliseconds(words.prompt_timeout_ms);
  // So that it is never the stream that gives up a prompt which the daemon still waits for.
  options.api.defaults.prompt_timeout_ms =
      static_cast<int>(words.prompt_timeout_ms) + kPromptLeadMs;
  limits.media_timeout = milliseconds(words.media_timeout_ms);
  limits.media_silence = milliseconds(words.media_silence_ms);
  limits.ladder.cooperative = milliseconds(words.stop_timeout_ms);
  options.http.header_timeout = seconds(words.header_timeout_s);
  options.http.body_timeout = seconds(words.body_timeout_s);
  options.http.idle_timeout = seconds(words.idle_timeout_s);
  options.http.write_timeout = seconds(words.write_timeout_s);
  options.api.origins.listen = options.http.listen;
  // A replaced or stopping worker holds its place until it is reaped.
  options.pool.max_workers = 2 * options.streams.max_streams + 2 * options.pool.warm_spares;
  return ApplyCommands(words, options);
}

}  // namespace

CommandLine ParseCommandLine(int argc, char** argv) {
  DaemonOptions options;
  options.http.max_connections = 256;
  options.log.program = "framelockd";
  Words words = DefaultWords(options);
  CLI::App app("framelockd: starts, supervises and answers for live video streams");
  app.set_version_flag("--version", std::string("framelockd ") + kVersion);
  app.set_config("--config", "", "file with these options, as NAME=VALUE lines");
  AddServerOptions(app, options, words);
  AddStreamOptions(app, options, words);
  AddWorkerOptions(app, options, words);
  AddHangOptions(app, options.api.defaults);
  app.add_option("--log-level", options.log.level, "trace, debug, info, warn, error or off")
      ->capture_default_str();
  app.add_flag("--log-json", options.log.json, "one JSON object a line on stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return CommandLine{.options = std::nullopt, .exit_code = code == 0 ? 0 : 2};
  }
  if (const Status applied = Apply(words, options); !applied) {
    std::fprintf(stderr, "framelockd: %s\n", applied.error().message.c_str());
    return CommandLine{.options = std::nullopt, .exit_code = 2};
  }
  return CommandLine{.options = std::move(options), .exit_code = 0};
}

}  // namespace framelock::api
