// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/relay.h"

#include <spdlog/fmt/fmt.h>

#include "trickle/relay/answers.h"
#include "trickle/relay/json_text.h"
#include "trickle/relay/reading.h"

namespace framelock::relay {

Relay::Relay(net::Loop& loop, RelayOptions options, const Clock& clock)
    : loop_(loop),
      options_(std::move(options)),
      table_(options_.channels, clock),
      door_(loop, table_, options_.door, options_.orphan_grace) {}

Result<std::unique_ptr<Relay>> Relay::Create(net::Loop& loop, RelayOptions options,
                                             const Clock& clock) {
  auto base = NormalizeBase(options.base);
  if (!base.ok()) return base.error();
  options.base = std::move(base).value();
  return std::unique_ptr<Relay>(new Relay(loop, std::move(options), clock));
}

net::Task<> Relay::SweepForever() {
  for (;;) {
    co_await net::SleepFor(options_.sweep_interval);
    table_.Sweep();
  }
}

net::Task<> Relay::Handle(net::HttpExchange& exchange) {
  const net::HttpRequest& request = exchange.request();
  if (exchange.wants_websocket()) {
    if (const auto channel = ParseDoorPath(request.path)) {
      co_await door_.Open(exchange, *channel);
      co_return;
    }
  }
  co_await Dispatch(exchange, ParseRoute(request.method, request.path, options_.base));
}

net::Task<> Relay::Dispatch(net::HttpExchange& exchange, Route route) {
  if (route.kind == Route::Kind::kPublish) {
    co_await StartPublication(exchange, route);
    co_return;
  }
  if (route.kind == Route::Kind::kRead) {
    if (const auto channel = table_.Find(route.channel)) {
      co_await Read(exchange, channel, route.seq);
      co_return;
    }
  }
  net::HttpResponse answer = AnswerOf(exchange.request(), route);
  // What is refused here may have a body that never ends.
  if (exchange.request().method == "POST" && answer.status >= 400) answer.close = true;
  static_cast<void>(co_await exchange.Respond(std::move(answer)));
}

net::HttpResponse Relay::AnswerOf(const net::HttpRequest& request, const Route& route) {
  using Kind = Route::Kind;
  switch (route.kind) {
    case Kind::kCreateChannel:
      return CreateChannel(request, route);
    case Kind::kDeleteChannel:
      return DeleteChannel(route);
    case Kind::kDeleteSegment:
      return DeleteSegment(route);
    case Kind::kNext:
      return Next(route);
    case Kind::kStatus:
      return StatusPage();
    case Kind::kBadSeq:
      return TextAnswer(400, "Invalid idx\n");
    case Kind::kBadName:
      return TextAnswer(400, "Invalid stream name\n");
    case Kind::kMethodNotAllowed: {
      net::HttpResponse answer = TextAnswer(405, "Method Not Allowed\n");
      answer.headers.emplace_back("Allow", std::string(route.allow));
      return answer;
    }
    case Kind::kPublish:
    case Kind::kRead:
      return TextAnswer(404, "Stream not found\n");
    case Kind::kNotFound:
      break;
  }
  return TextAnswer(404, "404 page not found\n");
}

net::HttpResponse Relay::CreateChannel(const net::HttpRequest& request, const Route& route) {
  const std::string mime(request.Header("Expect-Content").value_or(""));
  const auto opened = table_.OpenFor(route.channel, mime);
  return opened.channel ? net::HttpResponse() : NoChannelAnswer(opened.verdict);
}

net::HttpResponse Relay::DeleteChannel(const Route& route) {
  switch (table_.Delete(route.channel)) {
    case Verdict::kDone:
      return {};
    case Verdict::kDenied:
      return TextAnswer(401, "Deleting this stream is not allowed\n");
    default:
      return TextAnswer(400, "Invalid stream\n");
  }
}

net::HttpResponse Relay::DeleteSegment(const Route& route) {
  const auto channel = table_.Find(route.channel);
  if (!channel) return TextAnswer(404, "Stream not found\n");
  if (!channel->CloseSegment(route.seq.seq)) return TextAnswer(400, "Nonexistent segment\n");
  return {};
}

net::HttpResponse Relay::Next(const Route& route) {
  const auto channel = table_.Find(route.channel);
  if (!channel) return TextAnswer(404, "Stream not found\n");
  net::HttpResponse answer = TextAnswer(200, std::to_string(channel->next()));
  AddNumber(answer, kLatestHeader, channel->next());
  return answer;
}

net::HttpResponse Relay::StatusPage() const {
  std::string channels;
  table_.ForEach([&channels](Channel& channel) {
    const ChannelStats& stats = channel.stats();
    if (!channels.empty()) channels += ',';
    channels +=
        fmt::format(R"({{"name":{},"mime":{},"next":{},"readers":{},"bytes":{},"late_bytes":{},)"
                    R"("dropped_readers":{},"skipped_segments":{},"orphaned_segments":{}}})",
                    JsonText(channel.name()), JsonText(channel.mime()), channel.next(),
                    channel.readers(), stats.bytes, stats.late_bytes, stats.dropped_readers,
                    stats.skipped_segments, stats.orphaned_segments);
  });
  net::HttpResponse answer;
  answer.headers.emplace_back("Content-Type", "application/json");
  answer.body = fmt::format(
      R"({{"service":"framelock-relay","version":{},"stored_bytes":{},"channels":[{}]}})"
      "\n",
      JsonText(options_.version), table_.stored_bytes(), channels);
  return answer;
}

net::Task<> Relay::StartPublication(net::HttpExchange& exchange, const Route& route) {
  const net::HttpRequest& request = exchange.request();
  const std::string mime(request.Header("Content-Type").value_or(""));
  const auto opened = table_.OpenFor(route.channel, mime);
  if (!opened.channel) {
    static_cast<void>(co_await exchange.Respond(NoChannelAnswer(opened.verdict)));
    co_return;
  }
  const std::uint64_t seq =
      route.seq.kind == SeqReference::Kind::kNext ? opened.channel->next() : route.seq.seq;
  const bool reset = !request.Header(kResetHeader).value_or("").empty();
  if (reset) opened.channel->ResetBefore(seq);
  const PublicationOptions options{.orphan_grace = options_.orphan_grace,
                                   .preconnect_keepalive = options_.preconnect_keepalive,
                                   .max_segment_bytes = options_.channels.limits.max_segment_bytes};
  co_await Publish(loop_, exchange, opened.channel, opened.channel->OpenForWrite(seq), options);
}

}  // namespace framelock::relay
