// SPDX-License-Identifier: Apache-2.0
#include "api/daemon_options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "api/version.h"
#include "pipeline/process/child_process.h"
#include "workers/host/worker_process.h"

namespace framelock::api {

namespace {

constexpr int kPromptLeadMs = 5000;

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr long kDayMs = 86'400'000;

// What CLI11 fills; turned into DaemonOptions afterwards.
struct Words {
  std::string worker_command;
  std::string stream_command;
  std::string workspace;
  std::vector<long> restart_pauses_ms;
};

// An option that fills a time, counted in Unit.
template <typename Unit>
CLI::Option* AddTime(CLI::App& app, const char* name, milliseconds& time, const char* what) {
  const auto now = std::chrono::duration_cast<Unit>(time).count();
  return app
      .add_option_function<long>(
          name, [&time](const long& count) { time = Unit(count); }, what)
      ->default_str(std::to_string(now));
}

void AddServerOptions(CLI::App& app, DaemonOptions& options) {
  app.add_option("--listen", options.http.listen, "HOST:PORT of the control API; port 0 picks one")
      ->capture_default_str();
  app.add_option("--cors-origin", options.api.origins.cors_origins,
                 "origin of a web page that may use the API (repeatable; * for all)");
  app.add_option("--allow-host", options.api.origins.allowed_hosts,
                 "name that a Host header may hold besides IP addresses and localhost (repeatable; "
                 "without one, any name may on a listener that is not loopback)");
  app.add_option_function<std::string>(
         "--workspace-root",
         [&options](const std::string& folder) { options.api.workspaces.root = folder; },
         "folder that streams may name, and folders in it, as their worker's workspace (cwd); "
         "without it none may")
      ->check(CLI::ExistingDirectory);
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
  AddTime<seconds>(app, "--header-timeout", options.http.header_timeout,
                   "seconds for a request's head")
      ->check(CLI::Range(1, 3600));
  AddTime<seconds>(app, "--body-timeout", options.http.body_timeout, "seconds for a request's body")
      ->check(CLI::Range(1, 3600));
  AddTime<seconds>(app, "--idle-timeout", options.http.idle_timeout, "seconds between two requests")
      ->check(CLI::Range(1, 86400));
  AddTime<seconds>(app, "--write-timeout", options.http.write_timeout,
                   "seconds a peer may take nothing")
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
  app.add_option("--max-text-readers", options.api.max_text_readers,
                 "of what one stream's graph says (GET /stream/{id}/data), else 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--stream-command", words.stream_command, "instead of framelock-stream");
  app.add_option("--warm-streams", options.warm_streams,
                 "framelock-stream processes kept ready, their libraries loaded")
      ->capture_default_str()
      ->check(CLI::Range(0, 64));
  app.add_flag("--hw", options.api.defaults.hardware,
               "decode and encode in hardware where GStreamer has it and it starts");
  app.add_flag("--trace-latency", options.api.defaults.trace_latency,
               "measure where each frame's time goes, hop by hop: in the status and, every 5 s, in "
               "the log");
  AddTime<milliseconds>(app, "--media-timeout-ms", options.stream_limits.media_timeout,
                        "for a framelock-stream to start")
      ->check(CLI::Range(100, 600'000));
  AddTime<milliseconds>(app, "--media-silence-ms", options.stream_limits.media_silence,
                        "without a word from a framelock-stream: it is replaced")
      ->check(CLI::Range(500, 600'000));
}

// Of the processes of streams and of workers that are not lent yet.
void AddEndOptions(CLI::App& app, DaemonOptions& options, Words& words) {
  StreamLimits& limits = options.stream_limits;
  AddTime<milliseconds>(app, "--stop-timeout-ms", limits.ladder.cooperative,
                        "for a stream's process to end when asked; SIGTERM follows")
      ->check(CLI::Range(10, 60'000));
  AddTime<milliseconds>(app, "--spare-stop-timeout-ms", options.pool.ladder.cooperative,
                        "the same for a worker that is not lent")
      ->check(CLI::Range(10, 60'000));
  AddTime<milliseconds>(app, "--term-timeout-ms", limits.ladder.term,
                        "from SIGTERM to SIGKILL, for every process")
      ->check(CLI::Range(10, 60'000));
  app.add_option("--max-restarts", limits.restart.max_restarts,
                 "of a stream's worker or media process within the window, then the stream has "
                 "failed")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  AddTime<milliseconds>(app, "--restart-window-ms", limits.restart.window,
                        "in which restarts are counted; whoever runs so long starts afresh")
      ->check(CLI::Range(1000L, kDayMs));
  app.add_option(
         "--restart-pause-ms", words.restart_pauses_ms,
         "between two starts: of the first restart, of the second and so on; the last repeats")
      ->capture_default_str()
      ->delimiter(',')
      ->expected(1, 16)
      ->check(CLI::Range(0, 600'000));
}

void AddWorkerOptions(CLI::App& app, DaemonOptions& options, Words& words) {
  app.add_option("--worker-command", words.worker_command, "instead of framelock-worker");
  app.add_option("--workspace", words.workspace,
                 "handed to the worker command: folder whose input and output folders hold the "
                 "pictures of streams without a cwd")
      ->check(CLI::ExistingDirectory);
  app.add_option("--warm-workers", options.pool.warm_spares, "workers kept ready")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  AddTime<milliseconds>(app, "--worker-timeout-ms", options.stream_limits.worker_timeout,
                        "until a start has a worker")
      ->check(CLI::Range(100, 600'000));
  AddTime<milliseconds>(app, "--prompt-timeout-ms", options.stream_limits.prompt_timeout,
                        "for a worker to judge a prompt")
      ->check(CLI::Range(100, 600'000));
  AddTime<milliseconds>(app, "--nodes-timeout-ms", options.nodes.timeout,
                        "for the worker command to list its nodes (/object_info), once")
      ->check(CLI::Range(100, 600'000));
  app.add_option("--max-nodes-bytes", options.nodes.max_bytes, "of that list")
      ->capture_default_str()
      ->check(CLI::Range(1024, 256 << 20));
}

void AddArchitectureOptions(CLI::App& app, DaemonOptions& options) {
  app.add_option("--max-prompt-workers", options.api.max_prompt_workers,
                 "different prompts, and so workers, of one stream with use_prompt_worker")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--max-streams-per-worker", options.api.max_streams_per_worker,
                 "that share one worker (dedicated_worker: false)")
      ->capture_default_str()
      ->check(CLI::Range(1, 63));
}

void AddPoolOptions(CLI::App& app, DaemonOptions& options) {
  host::WorkerPool::Options& pool = options.pool;
  AddTime<milliseconds>(app, "--pool-interval-ms", options.pool_interval,
                        "between two looks at the workers that are not lent")
      ->check(CLI::Range(5, 1000));
  AddTime<milliseconds>(app, "--spawn-interval-ms", pool.spawn_interval,
                        "between the starts of two workers")
      ->check(CLI::Range(0, 60'000));
  AddTime<milliseconds>(app, "--greet-timeout-ms", pool.greet_deadline,
                        "for a new worker to say that it is ready")
      ->check(CLI::Range(100L, kDayMs));
  AddTime<milliseconds>(app, "--spare-heartbeat-timeout-ms", pool.heartbeat_stale,
                        "that the heartbeat of a worker that is not lent may stand still")
      ->check(CLI::Range(200L, kDayMs));
  app.add_option("--max-spawn-failures", pool.restart.max_restarts,
                 "of workers at their start within the window, then no more are made for a while")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  AddTime<milliseconds>(app, "--pool-pause-ms", pool.retry_after_giving_up,
                        "that while: streams wait, starts get 503")
      ->check(CLI::Range(100L, kDayMs));
}

// Of all streams; a start request may name others for its own.
void AddHangOptions(CLI::App& app, stream::StreamConfig& defaults) {
  app.add_option("--worker-heartbeat-timeout-ms", defaults.worker_heartbeat_timeout_ms,
                 "that a worker's heartbeat may stand still, then it is replaced")
      ->capture_default_str()
      ->check(CLI::Range(200L, kDayMs));
  app.add_option(
         "--worker-first-frame-timeout-ms", defaults.worker_first_frame_timeout_ms,
         "for each of the first five frames of a worker, prompt or format, while the heart beats")
      ->capture_default_str()
      ->check(CLI::Range(1L, kDayMs));
  app.add_option("--worker-frame-timeout-ms", defaults.worker_frame_timeout_ms,
                 "for each later frame, or the factor times the p95 of service times, if more")
      ->capture_default_str()
      ->check(CLI::Range(1L, kDayMs));
  app.add_option("--worker-frame-timeout-factor", defaults.worker_frame_timeout_factor,
                 "multiple of the p95 of service times that a frame may take")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--worker-load-timeout-ms", defaults.worker_load_timeout_ms,
                 "for a worker in a stream to answer a prompt or a new format")
      ->capture_default_str()
      ->check(CLI::Range(1L, kDayMs));
}

// Streams and the pool count and pause alike.
void ApplyRestarts(const Words& words, DaemonOptions& options) {
  process::RestartPolicy::Options& restart = options.stream_limits.restart;
  restart.back_off.clear();
  for (const long pause : words.restart_pauses_ms) restart.back_off.emplace_back(pause);
  restart.healthy = restart.window;
  const std::size_t max_spawn_failures = options.pool.restart.max_restarts;
  options.pool.restart = restart;
  options.pool.restart.max_restarts = max_spawn_failures;
  options.pool.ladder.term = options.stream_limits.ladder.term;
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
  if (!words.workspace.empty()) {
    std::error_code error;
    options.api.workspace = std::filesystem::canonical(words.workspace, error).string();
    if (error) return Error{ErrorCode::kInvalidArgument, "--workspace: " + error.message()};
    options.pool.command.argv.emplace_back("--workspace");
    options.pool.command.argv.push_back(*options.api.workspace);
  }
  // The loop's thread spawns them and lives as long as the process.
  options.pool.command.die_with_parent_thread = true;
  return {};
}

Status Apply(const Words& words, DaemonOptions& options) {
  // So that it is never the stream that gives up a prompt which the daemon still waits for.
  options.api.defaults.prompt_timeout_ms =
      static_cast<int>(options.stream_limits.prompt_timeout.count()) + kPromptLeadMs;
  ApplyRestarts(words, options);
  options.api.origins.listen = options.http.listen;
  // A replaced or stopping worker holds its place until it is reaped. Where each prompt has one, a
  // whole set may be made while the one before is still there.
  options.pool.max_workers = 2 * options.streams.max_streams * options.api.max_prompt_workers +
                             2 * options.pool.warm_spares;
  return ApplyCommands(words, options);
}

}  // namespace

CommandLine ParseCommandLine(int argc, char** argv) {
  DaemonOptions options;
  options.http.max_connections = 256;
  options.log.program = "framelockd";
  Words words;
  for (const milliseconds pause : options.stream_limits.restart.back_off) {
    words.restart_pauses_ms.push_back(pause.count());
  }
  CLI::App app("framelockd: starts, supervises and answers for live video streams");
  app.set_version_flag("--version", std::string("framelockd ") + kVersion);
  app.set_config("--config", "", "file with these options, as NAME=VALUE lines");
  AddServerOptions(app, options);
  AddStreamOptions(app, options, words);
  AddEndOptions(app, options, words);
  AddWorkerOptions(app, options, words);
  AddArchitectureOptions(app, options);
  AddPoolOptions(app, options);
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
