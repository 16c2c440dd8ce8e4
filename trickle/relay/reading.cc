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

// One reader of a segment. While it has caught up, new bytes go to its socket straight from the
// publisher's coroutine: waking one for each reader would cost more than the sending.
class Reader {
 public:
  Reader(net::HttpExchange& exchange, const Segment& segment)
      : exchange_(exchange), segment_(segment) {}

  /// Bytes came, or the segment ended.
  void OnChange() {
    if (segment_.abandoned()) return exchange_.Abort();
    if (caught_up_ && !segment_.closed() && TrySend()) return;
    caught_up_ = false;
    exchange_.Interrupt();
  }

  /// Sends the head, what there is and what comes, to the segment's end. The segment has bytes.
  net::Task<Status> Stream(net::HttpResponse head) {
    const Status begun = co_await exchange_.BeginResponse(std::move(head), segment_.Next(cursor_));
    if (!begun.ok()) co_return begun;
    if (exchange_.request().method == "HEAD") co_return co_await exchange_.EndResponse();
    for (;;) {
      for (auto piece = segment_.Next(cursor_); !piece.empty(); piece = segment_.Next(cursor_)) {
        const Status sent = co_await exchange_.WriteBody(piece);
        if (!sent.ok()) co_return sent;
      }
      if (segment_.closed()) break;
      caught_up_ = true;
      const Status woken = co_await exchange_.WaitForPeerClose();
      caught_up_ = false;
      if (woken.error().code != ErrorCode::kCancelled) co_return woken;
      const Status flushed = co_await exchange_.FlushBody();
      if (!flushed.ok()) co_return flushed;
    }
    co_return co_await exchange_.EndResponse();
  }

 private:
  bool TrySend() {
    for (auto piece = segment_.Next(cursor_); !piece.empty(); piece = segment_.Next(cursor_)) {
      if (!exchange_.TryWriteBody(piece)) return false;
    }
    return true;
  }

  net::HttpExchange& exchange_;
  const Segment& segment_;
  Segment::Cursor cursor_;
  bool caught_up_ = false;  // and waits for more
};

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
  Reader reader(exchange, *segment);
  const auto watch = segment->Watch([&reader] { reader.OnChange(); });
  while (segment->size() == 0 && !segment->closed()) {
    const Status woken = co_await exchange.WaitForPeerClose();
    if (woken.error().code != ErrorCode::kCancelled) co_return;
  }
  if (segment->size() == 0) {
    static_cast<void>(co_await exchange.Respond(EmptyAnswer(*channel, *segment)));
    co_return;
  }
  auto head = BytesAnswer(*channel, *segment, latest);
  const Status sent = co_await reader.Stream(std::move(head));
  if (!sent.ok() && sent.error().code == ErrorCode::kTimeout) ++channel->stats().dropped_readers;
}

}  // namespace framelock::relay
