// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/reading.h"

#include <string>

#include "trickle/relay/answers.h"

namespace framelock::relay {
namespace {

std::uint64_t Resolve(const Channel& channel, SeqReference reference) {
  if (reference.kind == SeqReference::Kind::kExact) return reference.seq;
  if (reference.kind == SeqReference::Kind::kNext) return channel.next();
  return channel.next() == 0 ? 0 : channel.next() - 1;
}

// Neither in the window nor about to be: the numbers tell the reader where to go on.
net::HttpResponse NotInWindowAnswer(const Channel& channel, std::uint64_t seq) {
  net::HttpResponse answer = TextAnswer(470, "Entry not found");
  answer.reason = "Entry not found";
  AddNumber(answer, kLatestHeader, channel.next());
  AddNumber(answer, kSeqHeader, seq);
  return answer;
}

net::HttpResponse EmptyAnswer(const Channel& channel, const Segment& segment) {
  net::HttpResponse answer;
  AddNumber(answer, kLatestHeader, channel.next());
  AddNumber(answer, kSeqHeader, segment.seq());
  if (channel.closed()) answer.headers.emplace_back(kClosedHeader, kClosedValue);
  return answer;
}

// The head goes out with the first byte; `latest` is what it was when the request came.
net::HttpResponse BytesAnswer(const Channel& channel, const Segment& segment,
                              std::uint64_t latest) {
  net::HttpResponse answer;
  if (!channel.mime().empty()) answer.headers.emplace_back("Content-Type", channel.mime());
  if (latest != segment.seq()) AddNumber(answer, kLatestHeader, latest);
  AddNumber(answer, kSeqHeader, segment.seq());
  return answer;
}

// Sends what there is and what comes, to the segment's end.
net::Task<Status> Stream(net::HttpExchange& exchange, const Segment& segment) {
  Segment::Cursor cursor;
  for (;;) {
    for (auto piece = segment.Next(cursor); !piece.empty(); piece = segment.Next(cursor)) {
      const Status sent = co_await exchange.WriteBody(piece);
      if (!sent.ok()) co_return sent;
    }
    if (segment.closed()) break;
    const Status woken = co_await exchange.WaitForPeerClose();
    if (woken.error().code != ErrorCode::kCancelled) co_return woken;
  }
  co_return co_await exchange.EndResponse();
}

}  // namespace

net::Task<> Read(net::HttpExchange& exchange, std::shared_ptr<Channel> channel,
                 SeqReference reference) {
  const std::uint64_t latest = channel->next();
  const std::uint64_t seq = Resolve(*channel, reference);
  const auto segment = channel->OpenForRead(seq);
  if (!segment) {
    static_cast<void>(co_await exchange.Respond(NotInWindowAnswer(*channel, seq)));
    co_return;
  }
  const auto watch = segment->Watch([&exchange, raw = segment.get()] {
    raw->abandoned() ? exchange.Abort() : exchange.Interrupt();
  });
  while (segment->size() == 0 && !segment->closed()) {
    const Status woken = co_await exchange.WaitForPeerClose();
    if (woken.error().code != ErrorCode::kCancelled) co_return;
  }
  if (segment->size() == 0) {
    static_cast<void>(co_await exchange.Respond(EmptyAnswer(*channel, *segment)));
    co_return;
  }
  Status sent = co_await exchange.BeginResponse(BytesAnswer(*channel, *segment, latest));
  if (!sent.ok()) co_return;
  if (exchange.request().method == "HEAD") {
    static_cast<void>(co_await exchange.EndResponse());
    co_return;
  }
  sent = co_await Stream(exchange, *segment);
  if (!sent.ok() && sent.error().code == ErrorCode::kTimeout) ++channel->stats().dropped_readers;
}

}  // namespace framelock::relay
