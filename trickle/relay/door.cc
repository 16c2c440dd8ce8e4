// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/door.h"

#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "trickle/relay/answers.h"
#include "trickle/relay/publication.h"
#include "trickle/relay/route.h"

namespace framelock::relay {
namespace {

// RFC 6455 section 7.4.1, and 1013 from IANA's list.
constexpr std::uint16_t kNormalClosure = 1000;
constexpr std::uint16_t kUnsupportedData = 1003;
constexpr std::uint16_t kInvalidPayload = 1007;
constexpr std::uint16_t kMessageTooBig = 1009;
constexpr std::uint16_t kTryAgainLater = 1013;
constexpr std::size_t kMaxSubscriberMessage = 64 * 1024;
constexpr std::size_t kPieceBytes = 32 * 1024;

// What a subscriber's two coroutines share: one sends, the other listens for the peer's end.
struct Subscription {
  Subscription(net::Loop& loop, std::unique_ptr<net::WebSocket> given)
      : socket(std::move(given)), changed(loop) {}
  std::unique_ptr<net::WebSocket> socket;
  net::Signal changed;
  bool ended = false;
};

net::Task<> ListenForEnd(std::shared_ptr<Subscription> subscription) {
  std::array<std::byte, 1024> buffer;
  for (;;) {
    const auto piece = co_await subscription->socket->Receive(buffer);
    if (!piece.ok()) break;  // what a subscriber says is of no interest
  }
  subscription->ended = true;
  subscription->changed.NotifyAll();
}

// A handshake that breaks the rules.
net::Task<> Refuse(net::HttpExchange& exchange, Error error) {
  static_cast<void>(co_await exchange.Respond(RefusalAnswer(400, error.message + '\n')));
}

// Sends one segment as it grows; false once the peer is gone. Stops early when the channel has
// moved on so far that the segment left the window.
net::Task<bool> SendSegment(Subscription& subscription, Channel& channel, const Segment& segment) {
  Segment::Cursor cursor;
  for (;;) {
    for (auto piece = segment.Next(cursor); !piece.empty(); piece = segment.Next(cursor)) {
      const Status sent = co_await subscription.socket->SendBinary(piece);
      if (!sent.ok() || subscription.ended) co_return false;
      if (!segment.evicted()) continue;
      ++channel.stats().skipped_segments;
      co_return true;
    }
    if (segment.closed()) co_return true;
    co_await subscription.changed.Wait();
    if (subscription.ended) co_return false;
  }
}

// Follows the channel to its end; false if the peer went away before.
net::Task<bool> FollowChannel(Subscription& subscription, Channel& channel) {
  std::optional<std::uint64_t> last;
  for (;;) {
    const auto segment = channel.Follow(last);
    if (!segment) {
      if (channel.closed()) co_return true;
      co_await subscription.changed.Wait();
      if (subscription.ended) co_return false;
      continue;
    }
    last = segment->seq();
    const auto watch = segment->Watch([&subscription] { subscription.changed.NotifyAll(); });
    if (!co_await SendSegment(subscription, channel, *segment)) co_return false;
  }
}

}  // namespace

// One publishing connection: what came is cut and put into the channel.
class Door::Publisher {
 public:
  Publisher(Door& door, std::shared_ptr<Channel> channel)
      : door_(door), channel_(std::move(channel)), cutter_(door.options_.cutter) {
    // Whoever still waits on what an earlier publisher left behind goes on from here.
    channel_->ResetBefore(channel_->next());
  }
  ~Publisher() {
    if (!segment_) return;
    segment_->DetachWriter();
    LeaveOrphan(door_.loop_, channel_, segment_, door_.orphan_grace_);
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  struct Refusal {
    std::uint16_t code = 0;
    std::string reason;
  };
  /// Publishes bytes; a value: why this publisher has to go.
  std::optional<Refusal> Take(std::span<const std::byte> bytes) {
    for (const TsCutter::Piece& piece : cutter_.Push(bytes)) {
      if (channel_->closed()) return Refusal{kNormalClosure, "the channel was closed"};
      if (piece.starts_segment) BeginSegment();
      const auto status = channel_->Append(*segment_, std::as_bytes(std::span(piece.bytes)));
      if (status == AppendStatus::kFull) {
        EndSegment();
        return Refusal{kMessageTooBig, "segment too long: no random-access point in time"};
      }
      if (status == AppendStatus::kNoMemory) {
        EndSegment();
        return Refusal{kTryAgainLater, "out of memory for segments"};
      }
    }
    if (cutter_.started() || cutter_.dropped_bytes() < door_.options_.max_bytes_before_start) {
      return std::nullopt;
    }
    return Refusal{kInvalidPayload, "no MPEG-TS random-access point found"};
  }

  static std::optional<Refusal> NoText() {
    return Refusal{kUnsupportedData, "MPEG-TS comes in binary messages"};
  }

  void EndSegment() {
    if (!segment_) return;
    channel_->Finish(*segment_);
    segment_->DetachWriter();
    segment_.reset();
  }

 private:
  void BeginSegment() {
    EndSegment();
    segment_ = channel_->OpenForWrite(channel_->next());
    segment_->AttachWriter();
  }

  Door& door_;
  const std::shared_ptr<Channel> channel_;
  TsCutter cutter_;
  std::shared_ptr<Segment> segment_;
};

Door::Door(net::Loop& loop, ChannelTable& table, DoorOptions options,
           std::chrono::milliseconds orphan_grace)
    : loop_(loop), table_(table), options_(std::move(options)), orphan_grace_(orphan_grace) {}

net::Task<> Door::Open(net::HttpExchange& exchange, std::string name) {
  const bool publishes = QueryHas(exchange.request().query, "publish", "1");
  std::shared_ptr<Channel> channel = table_.Find(name);
  Verdict verdict = Verdict::kMissing;
  if (!channel && publishes) {
    const auto opened = table_.OpenFor(name, options_.publish_mime);
    channel = opened.channel;
    verdict = opened.verdict;
  }
  if (!channel) {
    static_cast<void>(co_await exchange.Respond(NoChannelAnswer(verdict)));
  } else if (publishes) {
    co_await Publish(exchange, channel);
  } else {
    co_await Subscribe(exchange, channel);
  }
}

net::Task<> Door::Subscribe(net::HttpExchange& exchange, std::shared_ptr<Channel> channel) {
  auto upgraded = co_await exchange.Upgrade(kMaxSubscriberMessage);
  if (!upgraded.ok()) co_return co_await Refuse(exchange, upgraded.error());
  const auto subscription = std::make_shared<Subscription>(loop_, std::move(upgraded).value());
  loop_.Spawn(ListenForEnd(subscription));
  const auto watch = channel->Watch([raw = subscription.get()] { raw->changed.NotifyAll(); });
  const bool whole = co_await FollowChannel(*subscription, *channel);
  if (whole) co_await subscription->socket->Close(kNormalClosure, "the channel was closed");
}

net::Task<> Door::Publish(net::HttpExchange& exchange, std::shared_ptr<Channel> channel) {
  auto upgraded = co_await exchange.Upgrade(options_.max_message_bytes);
  if (!upgraded.ok()) co_return co_await Refuse(exchange, upgraded.error());
  const auto socket = std::move(upgraded).value();
  Publisher publisher(*this, channel);
  std::vector<std::byte> buffer(kPieceBytes);
  for (;;) {
    const auto piece = co_await socket->Receive(buffer);
    if (!piece.ok()) break;
    const auto refusal =
        piece->binary ? publisher.Take(std::span(buffer).first(piece->size)) : Publisher::NoText();
    if (!refusal) continue;
    co_await socket->Close(refusal->code, refusal->reason);
    co_return;
  }
  if (!socket->closed_in_order()) co_return;
  publisher.EndSegment();
  // The name may belong to a newer channel by now.
  if (table_.Find(channel->name()) == channel) {
    static_cast<void>(table_.Delete(channel->name()));
  }
}

}  // namespace framelock::relay
