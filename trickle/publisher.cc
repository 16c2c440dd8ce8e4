// SPDX-License-Identifier: Apache-2.0
#include "trickle/publisher.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "pipeline/core/clock.h"
#include "pipeline/net/http_client.h"
#include "trickle/channel_url.h"
#include "trickle/publisher_session.h"

namespace framelock::trickle {

// Joins the session to the network and the writer. The session belongs to mutex_, which both
// threads hold only for a moment.
class Publisher::Impl : public net::HttpClientEvents, public PublisherSession::Port {
 public:
  Impl(PublisherOptions options, net::Url channel)
      : options_(std::move(options)), channel_(std::move(channel)), session_(options_, *this) {}

  Status Open() {
    const std::lock_guard lock(mutex_);  // the first events wait until client_ is there
    auto client = net::HttpClient::Create(
        {.connect_timeout = options_.connect_timeout, .verify_tls = options_.verify_tls}, *this);
    if (!client) return client.error();
    client_ = std::move(*client);
    session_.Start(Now());
    return {};
  }

  Status BeginSegment() {
    const std::lock_guard lock(mutex_);
    return session_.BeginSegment();
  }
  Status Write(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    return session_.Write(bytes, Now());
  }
  Status Close() {
    std::unique_lock lock(mutex_);
    session_.Close(Now());
    client_->Wake();
    ended_.wait_for(lock, options_.close_timeout, [&] { return session_.ended() || interrupted_; });
    if (interrupted_) session_.Abort({ErrorCode::kCancelled, "interrupted"});
    session_.Abort({ErrorCode::kTimeout, "not everything was sent within close_timeout"});
    return session_.result();
  }
  void SetInterrupted(bool interrupted) {
    const std::lock_guard lock(mutex_);
    interrupted_ = interrupted;
    ended_.notify_all();
  }
  [[nodiscard]] PublisherStats stats() const {
    const std::lock_guard lock(mutex_);
    PublisherStats stats = session_.stats();
    stats.connections = client_->connections();
    return stats;
  }

  void OnHead(net::TransferId id, const net::HttpResponseHead& head) override {
    const std::lock_guard lock(mutex_);
    session_.OnHead(id, AnswerHead::From(head), Now());
  }
  net::BodyAction OnBody(net::TransferId, std::span<const std::byte>) override {
    return net::BodyAction::kTaken;
  }
  std::optional<std::size_t> OnUpload(net::TransferId id, std::span<std::byte> room) override {
    const std::lock_guard lock(mutex_);
    return session_.OnUpload(id, room, Now());
  }
  void OnEnd(net::TransferId id, const Status& status) override {
    const std::lock_guard lock(mutex_);
    session_.OnEnd(id, status, Now());
  }
  std::optional<SteadyTime> OnWake() override {
    const std::lock_guard lock(mutex_);
    session_.OnTime(Now());
    return session_.NextDeadline();
  }

  net::TransferId StartCreate() override {
    return client_->Start(
        {.method = "POST",
         .url = channel_,
         .headers = {{std::string(kExpectContentHeader), options_.content_type}}});
  }
  net::TransferId StartNext() override { return client_->Start({.url = channel_.Child("next")}); }
  net::TransferId StartPost(std::uint64_t seq, PublisherSession::PostKind kind) override {
    std::vector<net::HttpHeader> headers{{"Content-Type", options_.content_type}};
    if (kind == PublisherSession::PostKind::kReset) headers.emplace_back(kResetHeader, "1");
    return client_->Start({.method = "POST",
                           .url = channel_.Child(std::to_string(seq)),
                           .headers = std::move(headers),
                           .body = net::RequestBody::kStreamed});
  }
  net::TransferId StartDelete() override {
    return client_->Start({.method = "DELETE", .url = channel_});
  }
  void Cancel(net::TransferId id) override { client_->Cancel(id); }
  void ResumeUpload(net::TransferId id) override { client_->ResumeUpload(id); }
  void Ended() override { ended_.notify_all(); }

 private:
  static SteadyTime Now() { return Clock::System().Now(); }

  const PublisherOptions options_;
  const net::Url channel_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool interrupted_ = false;
  PublisherSession session_;
  std::unique_ptr<net::HttpClient> client_;  // last: joins its thread before the rest goes
};

Result<std::unique_ptr<Publisher>> Publisher::Open(PublisherOptions options) {
  Result<net::Url> channel = ParseChannelUrl(options.url);
  if (!channel) return channel.error();
  const bool printable = std::all_of(options.content_type.begin(), options.content_type.end(),
                                     [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable || options.content_type.size() > 256) {
    return Error{ErrorCode::kInvalidArgument, "content_type: is not a MIME type"};
  }
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*channel));
  if (const Status opened = impl->Open(); !opened) return opened.error();
  return std::unique_ptr<Publisher>(new Publisher(std::move(impl)));
}

Publisher::Publisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Publisher::~Publisher() = default;

Status Publisher::BeginSegment() { return impl_->BeginSegment(); }
Status Publisher::Write(std::span<const std::byte> bytes) { return impl_->Write(bytes); }
Status Publisher::Close() { return impl_->Close(); }
void Publisher::Interrupt() { impl_->SetInterrupted(true); }
void Publisher::Resume() { impl_->SetInterrupted(false); }
PublisherStats Publisher::stats() const { return impl_->stats(); }

}  // namespace framelock::trickle
