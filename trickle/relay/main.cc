// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "pipeline/core/log.h"
#include "pipeline/core/open_file_limit.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"
#include "trickle/relay/quantity.h"
#include "trickle/relay/relay.h"

namespace {

using namespace framelock;

constexpr auto kShutdownGrace = std::chrono::seconds(2);

struct Options {
  net::HttpServerOptions server{.listen = "127.0.0.1:8470"};
  relay::RelayOptions relay;
  std::vector<std::string> create;  // name=mime
  LogOptions log{.program = "framelock-relay"};
};

// Lets CLI11 read a value by one of our parsers; its error text becomes CLI11's.
template <typename Value, typename Parse>
std::function<void(const std::string&)> Into(Value& value, Parse parse) {
  return [&value, parse](const std::string& text) {
    const auto parsed = parse(text);
    if (!parsed.ok()) throw CLI::ValidationError(parsed.error().message);
    value = std::chrono::ceil<Value>(*parsed);
  };
}

std::function<void(const std::string&)> IntoBytes(std::size_t& value) {
  return [&value](const std::string& text) {
    const auto parsed = relay::ParseByteSize(text);
    if (!parsed.ok()) throw CLI::ValidationError(parsed.error().message);
    value = *parsed;
  };
}

void AddOptions(CLI::App& app, Options& options) {
  auto& server = options.server;
  auto& relay = options.relay;
  auto& table = relay.channels;
  const auto duration = [&app](const char* name, auto& value, const char* what, const char* usual) {
    app.add_option_function<std::string>(name, Into(value, relay::ParseDuration), what)
        ->type_name("DURATION")
        ->default_str(usual);
  };
  const auto bytes = [&app](const char* name, std::size_t& value, const char* what,
                            const char* usual) {
    app.add_option_function<std::string>(name, IntoBytes(value), what)
        ->type_name("SIZE")
        ->default_str(usual);
  };
  app.add_option("--listen", server.listen, "address to listen on; port 0 picks a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--base", relay.base, "path in front of the channel names")->capture_default_str();
  app.add_flag("!--no-autocreate", table.autocreate, "clients cannot create channels");
  app.add_option("--create", options.create, "channels to create at the start")
      ->type_name("NAME=MIME,...")
      ->delimiter(',');
  app.add_flag("--changefeed", table.changefeed, "publish added and removed channels on _changes");
  app.add_option("--deny-create", table.deny_create, "answer 403 to creating names that begin so")
      ->type_name("PREFIX");
  app.add_option("--deny-delete", table.deny_delete, "answer 401 to deleting names that begin so")
      ->type_name("PREFIX");
  duration("--idle-timeout", table.idle_timeout, "end a channel nobody publishes to", "5m");
  duration("--sweep-interval", relay.sweep_interval, "how often to look for idle channels", "1m");
  duration("--orphan-grace", relay.orphan_grace,
           "how long a segment waits for a publisher that vanished", "2s");
  duration("--preconnect-keepalive", relay.preconnect_keepalive,
           "interim 100 to a publisher that waits", "10s");
  duration("--min-segment-duration", relay.door.cutter.min_segment_duration,
           "WebSocket publishers: no shorter segments, in media time", "1s");
  duration("--header-timeout", server.header_timeout, "for a request head to arrive", "30s");
  duration("--connection-idle-timeout", server.idle_timeout, "between requests", "10m");
  duration("--write-timeout", server.write_timeout,
           "a reader that takes nothing so long is dropped", "30s");
  bytes("--max-segment-bytes", table.limits.max_segment_bytes, "longer segments get 413", "16M");
  bytes("--max-total-bytes", table.max_total_bytes, "of all segments; beyond it POST gets 503",
        "1G");
  bytes("--reader-backlog", table.limits.reader_backlog_bytes,
        "of segments held for slow readers, by channel; beyond it the slowest are dropped", "64M");
  bytes("--max-message-bytes", relay.door.max_message_bytes, "of a WebSocket message", "4M");
  bytes("--max-header-bytes", server.max_header_bytes, "of a request head", "32K");
  app.add_option("--max-channels", table.max_channels, "more get 503")->capture_default_str();
  app.add_option("--max-connections", server.max_connections, "more get 503")
      ->capture_default_str();
  app.add_option("--log-level", options.log.level, "trace, debug, info, warn, error or off")
      ->capture_default_str();
  app.add_flag("--log-json", options.log.json, "one JSON object a line on stderr");
  app.set_version_flag("--version", "framelock-relay " FRAMELOCK_VERSION);
}

int Fail(const Error& error) {
  std::cerr << "framelock-relay: " << error.message << '\n';
  return 1;
}

Status CreateChannels(relay::ChannelTable& table, const std::vector<std::string>& names) {
  for (const std::string& pair : names) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string mime = equals < pair.size() ? pair.substr(equals + 1) : "video/mp2t";
    const std::string name = pair.substr(0, equals);
    if (name.empty() || name.size() > relay::kMaxChannelName) {
      return Error{ErrorCode::kInvalidArgument, "--create: \"" + pair + "\" names no channel"};
    }
    if (!table.Create(name, mime).channel) {
      return Error{ErrorCode::kResourceLimit, "--create: more channels than --max-channels"};
    }
  }
  return {};
}

// Everybody who waits has its answer by then; a second is for those who still read.
net::Task<> EndAfterLastConnection(net::Loop& loop, const net::HttpServer& server) {
  const auto deadline = std::chrono::steady_clock::now() + kShutdownGrace;
  while (server.connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    co_await net::SleepFor(std::chrono::milliseconds(10));
  }
  loop.Stop();
}

int Serve(Options options) {
  // A reader that went away is an error code of the write, not the end of us.
  std::signal(SIGPIPE, SIG_IGN);
  options.relay.version = FRAMELOCK_VERSION;
  const std::string host = options.server.listen.substr(0, options.server.listen.rfind(':'));
  net::Loop loop;
  const auto relay = relay::Relay::Create(loop, options.relay);
  if (!relay.ok()) return Fail(relay.error());
  const Status created = CreateChannels((*relay)->channels(), options.create);
  if (!created.ok()) return Fail(created.error());
  const auto server = net::HttpServer::Listen(
      loop, options.server,
      [&](net::HttpExchange& exchange) { return (*relay)->Handle(exchange); });
  if (!server.ok()) return Fail(server.error());
  bool stopping = false;
  const net::ShutdownSignals signals(loop, [&](int number) {
    spdlog::info("signal {}, stopping", number);
    if (std::exchange(stopping, true)) return loop.Stop();
    (*server)->StopAccepting();
    (*relay)->Close();
    loop.Spawn(EndAfterLastConnection(loop, **server));
  });
  loop.Spawn((*relay)->SweepForever());
  // Scripts read this line to learn the port.
  std::printf("listening on http://%s:%u\n", host.empty() ? "127.0.0.1" : host.c_str(),
              static_cast<unsigned>((*server)->port()));
  std::fflush(stdout);
  loop.Run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("A trickle server with a WebSocket door, for one machine.", "framelock-relay");
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  const Status logging = InitLog(options.log);
  if (!logging.ok()) return Fail(logging.error());
  if (const auto raised = RaiseOpenFileLimit(); !raised.ok()) {
    spdlog::warn("{}", raised.error().message);
  }
  return Serve(std::move(options));
}
