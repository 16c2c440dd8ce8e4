// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/reading.h"

#include <string>
#include <utility>

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

// One reader of a segment. While it waits, what comes goes to its socket straight from the
// publisher's coroutine: waking one for each reader would cost more than the sending.
class Reader {
 public:
  Reader(net::HttpExchange& exchange, const Segment& segment, net::HttpResponse head)
      : exchange_(exchange), segment_(segment), head_(std::move(head)) {}

  /// Bytes came, or the segment ended.
  void OnChange() {
    if (segment_.abandoned()) return exchange_.Abort();
    if (!waits_ || (TrySend() && !ended_)) return;
    waits_ = false;
    exchange_.Interrupt();
  }

  /// Sends the head with the first bytes, all there is and all that comes, to the segment's end.
  /// Returns early, with nothing sent, from a segment that ends empty.
  net::Task<Status> Stream() {
    for (;;) {
      const Status sent = co_await SendWhatThereIs();
      if (!sent.ok() || ended_ || segment_.closed()) co_return sent;
      waits_ = true;
      const Status woken = co_await exchange_.WaitForPeerClose();
      waits_ = false;
      if (woken.error().code != ErrorCode::kCancelled) co_return woken;
    }
  }

 private:
  [[nodiscard]] bool is_head() const { return exchange_.request().method == "HEAD"; }

  // False: the rest is the coroutine's.
  bool TrySend() {
    if (!begun_ && is_head()) return false;
    for (auto piece = segment_.Next(cursor_); !piece.empty(); piece = segment_.Next(cursor_)) {
      ended_ = segment_.EndsAt(cursor_);
      const auto then = ended_ ? net::Then::kEnd : net::Then::kMore;
      const bool taken = std::exchange(begun_, true)
                             ? exchange_.TryWriteBody(piece, then)
                             : exchange_.TryBeginResponse(head_, piece, then);
      if (!taken) return false;
    }
    if (begun_ && !ended_ && segment_.closed()) {
      ended_ = true;
      return exchange_.TryWriteBody({}, net::Then::kEnd);
    }
    return begun_;
  }

  net::Task<Status> SendWhatThereIs() {
    Status sent = co_await exchange_.FlushBody();
    for (auto piece = segment_.Next(cursor_); sent.ok() && !piece.empty();
         piece = segment_.Next(cursor_)) {
      if (std::exchange(begun_, true)) {
        sent = co_await exchange_.WriteBody(piece);
      } else {
        sent = co_await exchange_.BeginResponse(std::move(head_), piece);
        ended_ = is_head();
      }
      if (ended_) break;
    }
    if (sent.ok() && begun_ && (ended_ ? is_head() : segment_.closed())) {
      ended_ = true;
      sent = co_await exchange_.EndResponse();
    }
    co_return sent;
  }

  net::HttpExchange& exchange_;
  const Segment& segment_;
  net::HttpResponse head_;
  Segment::Cursor cursor_;
  bool waits_ = false;  // the coroutine, for what comes
  bool begun_ = false;  // to answer
  bool ended_ = false;
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
  Reader reader(exchange, *segment, BytesAnswer(*channel, *segment, latest));
  const auto watch = segment->Watch([&reader] { reader.OnChange(); });
  const Status sent = co_await reader.Stream();
  if (!sent.ok()) {
    if (sent.error().code == ErrorCode::kTimeout) ++channel->stats().dropped_readers;
  } else if (segment->size() == 0) {
    static_cast<void>(co_await exchange.Respond(EmptyAnswer(*channel, *segment)));
  }
}

}  // namespace framelock::relay
