// SPDX-License-Identifier: Apache-2.0
#include "trickle/subscriber.h"

#include <mutex>
#include <utility>

#include "pipeline/core/clock.h"
#include "pipeline/net/http_client.h"
#include "trickle/channel_url.h"
#include "trickle/piece_queue.h"
#include "trickle/subscriber_session.h"

namespace framelock::trickle {

// Joins the session to the network and the queue. The session belongs to mutex_; the network
// thread takes it for each event, stats() for a moment, Read() never.
class Subscriber::Impl : public net::HttpClientEvents, public SubscriberSession::Port {
 public:
  Impl(const SubscriberOptions& options, net::Url channel)
      : channel_(std::move(channel)), queue_(options.queue_bytes), session_(options, *this) {}

  Status Open(const SubscriberOptions& options) {
    const std::lock_guard lock(mutex_);  // the first events wait until client_ is there
    auto client = net::HttpClient::Create(
        {.connect_timeout = options.connect_timeout, .verify_tls = options.verify_tls}, *this);
    if (!client) return client.error();
    client_ = std::move(*client);
    session_.Start(Now());
    return {};
  }

  Result<Piece> Read(std::chrono::milliseconds timeout) {
    Result<PieceQueue::Popped> popped = queue_.Pop(timeout);
    if (!popped) return popped.error();
    if (popped->made_room) client_->Wake();
    return std::move(popped->piece);
  }
  void Interrupt() { queue_.Interrupt(); }
  void Resume() { queue_.Resume(); }

  [[nodiscard]] SubscriberStats stats() const {
    const std::lock_guard lock(mutex_);
    SubscriberStats stats = session_.stats();
    stats.connections = client_->connections();
    stats.segment_seq = queue_.segment_seq();
    stats.queued_bytes = queue_.bytes();
    return stats;
  }

  void OnHead(net::TransferId id, const net::HttpResponseHead& head) override {
    const std::lock_guard lock(mutex_);
    session_.OnHead(id, AnswerHead::From(head), Now());
  }
  net::BodyAction OnBody(net::TransferId id, std::span<const std::byte> piece) override {
    const std::lock_guard lock(mutex_);
    return session_.OnBody(id, piece, Now());
  }
  std::optional<std::size_t> OnUpload(net::TransferId, std::span<std::byte>) override { return 0; }
  void OnEnd(net::TransferId id, const Status& status) override {
    const std::lock_guard lock(mutex_);
    session_.OnEnd(id, status, Now());
  }
  std::optional<SteadyTime> OnWake() override {
    const std::lock_guard lock(mutex_);
    session_.OnTime(Now());
    return session_.NextDeadline();
  }

  net::TransferId StartGet(std::int64_t wire_seq) override {
    return client_->Start({.url = SegmentUrl(channel_, wire_seq)});
  }
  void Cancel(net::TransferId id) override { client_->Cancel(id); }
  void ResumeBody(net::TransferId id) override { client_->ResumeBody(id); }
  bool HasRoom() override { return queue_.HasRoom(); }
  void Push(Piece piece) override { queue_.Push(std::move(piece)); }
  void End(Error reason) override { queue_.End(std::move(reason)); }

 private:
  static SteadyTime Now() { return Clock::System().Now(); }

  const net::Url channel_;
  PieceQueue queue_;
  mutable std::mutex mutex_;
  SubscriberSession session_;
  std::unique_ptr<net::HttpClient> client_;  // last: joins its thread before the rest goes
};

Result<std::unique_ptr<Subscriber>> Subscriber::Open(SubscriberOptions options) {
  Result<net::Url> channel = ParseChannelUrl(options.url);
  if (!channel) return channel.error();
  if (options.start_seq && *options.start_seq > kMaxSeq) {
    return Error{ErrorCode::kInvalidArgument, "start_seq: " + std::to_string(*options.start_seq) +
                                                  " is not within 0 to " + std::to_string(kMaxSeq)};
  }
  auto impl = std::make_unique<Impl>(options, std::move(*channel));
  if (const Status opened = impl->Open(options); !opened) return opened.error();
  return std::unique_ptr<Subscriber>(new Subscriber(std::move(impl)));
}

Subscriber::Subscriber(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Subscriber::~Subscriber() = default;

Result<Piece> Subscriber::Read(std::chrono::milliseconds timeout) { return impl_->Read(timeout); }
void Subscriber::Interrupt() { impl_->Interrupt(); }
void Subscriber::Resume() { impl_->Resume(); }
SubscriberStats Subscriber::stats() const { return impl_->stats(); }

}  // namespace framelock::trickle
