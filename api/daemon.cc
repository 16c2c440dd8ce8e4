// SPDX-License-Identifier: Apache-2.0
#include "api/daemon.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <string>
#include <utility>

#include "api/framelock_stream_process.h"
#include "api/node_catalog.h"
#include "api/node_listing.h"
#include "api/pooled_worker.h"
#include "api/shared_workers.h"
#include "api/text_events.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBusyTick{5};  // while a worker starts or ends

net::Task<> RunPool(host::WorkerPool& pool, bool& ever_ready, milliseconds interval) {
  for (;;) {
    pool.Tick();
    const host::WorkerPool::Counts counts = pool.counts();
    ever_ready = ever_ready || counts.spare > 0;
    const bool busy = counts.starting + counts.stopping > 0;
    co_await net::SleepFor(busy ? kBusyTick : interval);
  }
}

net::Task<> FillCatalog(net::Loop& loop, host::WorkerCommand command, NodeListingLimits limits,
                        NodeCatalog& nodes) {
  Result<std::string> listing = co_await ListNodes(loop, std::move(command), limits);
  nodes.Take(std::move(listing));
  if (nodes.error() != nullptr) spdlog::warn("no /object_info: {}", *nodes.error());
}

net::Task<> Serve(ControlApi& api, net::HttpExchange& exchange) {
  Result<std::string> body = std::string();
  if (api.NeedsBody(exchange.request())) {
    body = co_await exchange.ReadWholeBody(api.max_body_bytes());
    if (!body && body.error().code == ErrorCode::kClosed) co_return;
  }
  net::HttpResponse response = co_await api.Answer(exchange.request(), std::move(body));
  std::shared_ptr<Stream> texts;
  if (response.status == 200) texts = api.TextSource(exchange.request());
  if (texts) {
    co_await SendTextEvents(std::move(texts), exchange, std::move(response));
    co_return;
  }
  const Status sent = co_await exchange.Respond(std::move(response));
  if (!sent)
    spdlog::debug("{} left before its answer: {}", exchange.request().remote, sent.error().message);
}

std::string HostOf(const std::string& listen) { return listen.substr(0, listen.rfind(':')); }

}  // namespace

// Declared in the order in which they need each other; destroyed the other way round.
struct Daemon::Parts {
  explicit Parts(DaemonOptions given) : options(std::move(given)) {}

  DaemonOptions options;
  net::Loop loop;
  std::unique_ptr<host::WorkerPool> pool;
  bool ever_ready = false;  // a worker, since the start
  std::unique_ptr<PooledWorkerSource> workers;
  std::unique_ptr<SharedWorkerSource> shared_workers;
  std::unique_ptr<FramelockStreamSource> media;
  std::unique_ptr<Stream::Surroundings> around;
  std::unique_ptr<StreamRegistry> registry;
  NodeCatalog nodes;
  std::unique_ptr<ControlApi> api;
  std::unique_ptr<net::HttpServer> server;
  bool stopping = false;

  net::Task<> StopEverything() {
    server->StopAccepting();
    co_await registry->Close();
    loop.Stop();
  }
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::Create(DaemonOptions options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  Parts& p = *parts;
  auto pool = host::WorkerPool::Create(p.options.pool);
  if (!pool) return pool.error();
  p.pool = std::move(*pool);
  p.workers = std::make_unique<PooledWorkerSource>(p.loop, *p.pool);
  p.shared_workers = std::make_unique<SharedWorkerSource>(
      p.loop, *p.pool,
      SharedWorkerSource::Options{.max_streams = p.options.api.max_streams_per_worker,
                                  .window = p.options.stream_limits.restart.window,
                                  .ladder = p.options.stream_limits.ladder});
  p.media = std::make_unique<FramelockStreamSource>(
      p.loop, FramelockStreamSource::Options{
                  .command = {p.options.stream_command, p.options.pool.command.open_file_limit},
                  .warm = p.options.warm_streams});
  p.around = std::make_unique<Stream::Surroundings>(Stream::Surroundings{
      p.loop, *p.workers, *p.shared_workers, *p.media, Clock::System(), p.options.stream_limits});
  p.registry = std::make_unique<StreamRegistry>(*p.around, p.options.streams);
  p.api = std::make_unique<ControlApi>(*p.registry, p.nodes, p.options.api, [&p] {
    return PoolHealth{.ready_workers = p.pool->counts().spare,
                      .ever_ready = p.ever_ready,
                      .given_up = p.pool->given_up(),
                      .last_error = p.pool->last_error(),
                      .pause = p.workers->pause()};
  });
  auto server = net::HttpServer::Listen(p.loop, p.options.http, [&p](net::HttpExchange& exchange) {
    return Serve(*p.api, exchange);
  });
  if (!server) return server.error();
  p.server = std::move(*server);
  p.loop.Spawn(FillCatalog(p.loop, p.options.pool.command, p.options.nodes, p.nodes));
  p.loop.Spawn(RunPool(*p.pool, p.ever_ready, p.options.pool_interval));
  std::printf("listening on http://%s:%u\n", HostOf(p.options.http.listen).c_str(),
              static_cast<unsigned>(p.server->port()));
  std::fflush(stdout);
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

void Daemon::Run() {
  Parts& p = *parts_;
  const net::ShutdownSignals signals(p.loop, [&p](int signal) {
    if (std::exchange(p.stopping, true)) return;
    spdlog::info("signal {}: stopping {} streams", signal, p.registry->active());
    p.loop.Spawn(p.StopEverything());
  });
  p.loop.Run();
  p.pool->Shutdown();
}

}  // namespace framelock::api
