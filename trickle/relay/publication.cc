// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/publication.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <vector>

#include "trickle/relay/answers.h"

namespace framelock::relay {
namespace {

constexpr std::size_t kPieceBytes = 32 * 1024;

// A publisher's hold on a segment.
class WriterLease {
 public:
  explicit WriterLease(Segment& segment) : segment_(segment) { segment_.AttachWriter(); }
  ~WriterLease() { segment_.DetachWriter(); }
  WriterLease(const WriterLease&) = delete;
  WriterLease& operator=(const WriterLease&) = delete;

 private:
  Segment& segment_;
};

net::Task<> CloseOrphanLater(std::shared_ptr<Channel> channel, std::shared_ptr<Segment> segment,
                             std::chrono::milliseconds grace) {
  const std::uint64_t attachments = segment->attachments();
  co_await net::SleepFor(grace);
  channel->CloseOrphan(*segment, attachments);
}

net::HttpResponse PublishedAnswer(const Channel& channel, const Segment& segment) {
  net::HttpResponse answer;
  AddNumber(answer, kSeqHeader, segment.seq());
  if (channel.closed()) answer.headers.emplace_back(kClosedHeader, kClosedValue);
  return answer;
}

net::HttpResponse RefusedBytesAnswer(AppendStatus status) {
  if (status == AppendStatus::kFull) return RefusalAnswer(413, "Segment too long\n");
  return RefusalAnswer(503, "Out of memory for segments\n");
}

bool AnnouncesTooMuch(const net::HttpRequest& request, std::size_t max_bytes) {
  const auto text = request.Header("Content-Length");
  std::uint64_t length = 0;
  return text &&
         std::from_chars(text->data(), text->data() + text->size(), length).ec == std::errc() &&
         length > max_bytes;
}

// What has come already of the body, without waiting, so that the readers get it in one piece and
// not in as many as the socket or the publisher's chunks were cut into. How the reading ended shows
// again at the next one, but for an interrupt, which means nothing in mid-body.
struct Gathered {
  std::size_t size = 0;
  bool whole = false;  // nothing comes behind it
};
net::Task<Gathered> Gather(net::HttpExchange& exchange, std::span<std::byte> room) {
  Gathered gathered;
  while (gathered.size < room.size()) {
    const auto size =
        co_await exchange.ReadBody(room.subspan(gathered.size), std::chrono::nanoseconds(0));
    gathered.whole = size.ok() && *size == 0;
    if (!size.ok() || gathered.whole) break;
    gathered.size += *size;
  }
  co_return gathered;
}

// Moves the body into the segment. Returns the answer; nullopt if nobody is left to read it.
net::Task<std::optional<net::HttpResponse>> Receive(net::HttpExchange& exchange, Channel& channel,
                                                    Segment& segment,
                                                    std::chrono::milliseconds keepalive) {
  const WriterLease lease(segment);
  // Whoever closes the segment or the channel wakes a publisher that is preconnected.
  const auto watch = segment.WatchEnd([&exchange] { exchange.Interrupt(); });
  std::vector<std::byte> piece(kPieceBytes);
  bool begun = false;
  for (;;) {
    constexpr std::chrono::nanoseconds kForever = std::chrono::hours(24 * 365);
    const auto size = co_await exchange.ReadBody(piece, begun ? kForever : keepalive);
    if (size.ok() && *size > 0) {
      begun = true;
      const Gathered more = co_await Gather(exchange, std::span(piece).subspan(*size));
      const auto bytes = std::span(piece).first(*size + more.size);
      const auto status =
          more.whole ? channel.AppendLast(segment, bytes) : channel.Append(segment, bytes);
      if (status == AppendStatus::kAppended || status == AppendStatus::kClosed) continue;
      channel.Finish(segment);
      co_return RefusedBytesAnswer(status);
    }
    if (size.ok()) {
      channel.Finish(segment);
      auto answer = PublishedAnswer(channel, segment);
      answer.close = !begun;
      co_return answer;
    }
    const ErrorCode code = size.error().code;
    if (code == ErrorCode::kTimeout) {
      const Status sent = co_await exchange.SendContinue();
      if (!sent.ok()) co_return std::nullopt;
    } else if (code == ErrorCode::kCancelled) {
      // In mid-body the rest is taken and dropped: cutting the connection would cost the publisher
      // the answer, which tells it the same.
      if (begun || !segment.closed()) continue;
      auto answer = PublishedAnswer(channel, segment);
      answer.close = true;
      co_return answer;
    } else if (code == ErrorCode::kProtocol) {
      co_return RefusalAnswer(400, size.error().message + "\n");
    } else {
      co_return std::nullopt;
    }
  }
}

}  // namespace

void LeaveOrphan(net::Loop& loop, std::shared_ptr<Channel> channel,
                 std::shared_ptr<Segment> segment, std::chrono::milliseconds grace) {
  if (!channel->LeaveOrphan(*segment)) return;
  loop.Spawn(CloseOrphanLater(std::move(channel), std::move(segment), grace));
}

net::Task<> Publish(net::Loop& loop, net::HttpExchange& exchange, std::shared_ptr<Channel> channel,
                    std::shared_ptr<Segment> segment, PublicationOptions options) {
  std::optional<net::HttpResponse> answer;
  if (segment->closed()) {
    // Ended and still in the window: published already.
    answer = PublishedAnswer(*channel, *segment);
    answer->close = true;
  } else if (AnnouncesTooMuch(exchange.request(), options.max_segment_bytes)) {
    answer = RefusedBytesAnswer(AppendStatus::kFull);
  } else {
    answer = co_await Receive(exchange, *channel, *segment, options.preconnect_keepalive);
  }
  LeaveOrphan(loop, channel, segment, options.orphan_grace);
  if (answer) static_cast<void>(co_await exchange.Respond(std::move(*answer)));
}

}  // namespace framelock::relay
