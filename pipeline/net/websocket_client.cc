// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/websocket_client.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "pipeline/core/back_off.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/log.h"
#include "pipeline/core/thread_name.h"
#include "pipeline/net/websocket_url.h"

namespace framelock::net {
namespace {

using std::chrono::milliseconds;
constexpr std::size_t kIoBytes = 64 * 1024;  // one read of libwebsockets
constexpr int kUnsentBytesInKernel = 128 * 1024;
constexpr std::size_t kMessageCost = 64;  // so that tiny messages are bounded, too
constexpr const char* kProtocolName = "framelock";

lws_usec_t Microseconds(milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

// The network thread runs lws_service(); everything libwebsockets touches lives on it. Other
// threads change the guarded members and wake it with lws_cancel_service().
class WebSocketClient::Impl {
 public:
  Impl(WebSocketClientOptions options, WebSocketUrl url)
      : options_(std::move(options)),
        url_(std::move(url)),
        back_off_({options_.retry_initial, options_.retry_max, options_.give_up_after}),
        outgoing_(options_.send_queue_bytes) {
    back_off_.Begin(Clock::System().Now());
  }
  ~Impl();

  Status Start();
  Result<WebSocketMessage> Receive(milliseconds timeout);
  Status Send(std::span<const std::byte> bytes, GroupQueue::Position position);
  Status Close();
  void SetInterrupted(bool interrupted);
  [[nodiscard]] WebSocketClientStats stats() const;

 private:
  // A timer of libwebsockets that knows its owner; `timer` must come first.
  struct Timer {
    lws_sorted_usec_list_t timer;
    Impl* owner;
  };
  template <void (Impl::*Method)()>
  static void OnTimer(lws_sorted_usec_list_t* timer) {
    (reinterpret_cast<Timer*>(timer)->owner->*Method)();
  }
  void Schedule(Timer& timer, sul_cb_t callback, milliseconds delay) {
    timer.owner = this;
    lws_sul_schedule(context_, 0, &timer.timer, callback, Microseconds(delay));
  }
  void Cancel(Timer& timer) {
    lws_sul_schedule(context_, 0, &timer.timer, nullptr, LWS_SET_TIMER_USEC_CANCEL);
  }

  static int OnEvent(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t len);
  int OnConnectionEvent(lws_callback_reasons reason, std::string_view in);
  void Run();
  void Wake() { lws_cancel_service(context_); }
  void Connect();
  void AbandonConnect();
  void Ping();
  void OnWake();
  void OnEstablished();
  int OnReceive(std::string_view in);
  int OnWriteable();
  void OnPeerClose(std::string_view in);
  void OnDown(std::string_view why);
  void Deliver();
  void Finish(Error end);  // mutex_ held

  const WebSocketClientOptions options_;
  const WebSocketUrl url_;
  lws_context* context_ = nullptr;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  // Network thread only.
  lws* wsi_ = nullptr;
  bool attempt_running_ = false;  // from Connect() to OnDown()
  bool established_ = false;
  bool throttled_ = false;
  bool ping_due_ = false;
  bool close_sent_ = false;  // libwebsockets still asks what to write while it awaits the answer
  std::optional<SteadyTime> ping_sent_;  // and not answered yet
  std::optional<std::uint16_t> peer_close_code_;
  std::string failure_;  // what we ended the connection for
  std::vector<std::byte> partial_;
  bool partial_is_text_ = false;
  bool discontinuity_ = false;
  unsigned http_status_ = 0;
  BackOff back_off_;
  SteadyTime established_at_;
  Timer connect_timer_{};
  Timer deadline_timer_{};
  Timer ping_timer_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  GroupQueue outgoing_;
  std::deque<WebSocketMessage> incoming_;
  std::size_t incoming_bytes_ = 0;
  bool interrupted_ = false;
  bool closing_ = false;
  std::optional<Error> end_;  // nothing follows what is queued
  WebSocketClientStats stats_;
};

Status WebSocketClient::Impl::Start() {
  static std::once_flag log_once;
  std::call_once(log_once, [] {
    lws_set_log_level(LLL_ERR | LLL_WARN, [](int, const char* line) {
      std::string_view text(line);
      while (text.ends_with('\n')) text.remove_suffix(1);
      spdlog::debug("libwebsockets: {}", text);
    });
  });
  static const lws_protocols protocols[] = {
      lws_protocols{kProtocolName, &Impl::OnEvent, 0, kIoBytes, 0, nullptr, 0},
      lws_protocols{nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.gid = -1;
  info.uid = -1;
  info.user = this;
  info.options = url_.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0;
  info.pt_serv_buf_size = kIoBytes;
  info.fd_limit_per_thread = 16;  // else tables for every possible descriptor are made
  info.http_proxy_address = "";   // else $http_proxy would be used
  // Our own deadline is finer; this one only bounds the handshakes inside libwebsockets.
  info.timeout_secs = static_cast<unsigned>(options_.connect_timeout.count() / 1000 + 1);
  info.connect_timeout_secs = info.timeout_secs;
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return Error{ErrorCode::kInternal, "websocket: libwebsockets could not start"};
  }
  thread_ = std::thread([this] { Run(); });
  return {};
}

WebSocketClient::Impl::~Impl() {
  if (context_ == nullptr) return;
  stopping_ = true;
  Wake();
  thread_.join();
  lws_context_destroy(context_);
}

void WebSocketClient::Impl::Run() {
  NameThread("websocket");
  Connect();
  while (!stopping_) {
    if (lws_service(context_, 0) >= 0) continue;
    const std::lock_guard lock(mutex_);
    return Finish({ErrorCode::kInternal, "websocket: libwebsockets failed"});
  }
}

void WebSocketClient::Impl::Connect() {
  lws_client_connect_info info{};
  info.context = context_;
  const std::string address = ConnectAddress(url_.host);
  info.address = address.c_str();
  info.port = url_.port;
  info.path = url_.target.c_str();
  info.host = url_.authority.c_str();
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url_.tls ? LCCSCF_USE_SSL : 0);
  if (url_.tls && !options_.verify_tls) {
    info.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK |
                           LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE;
  }
  info.local_protocol_name = kProtocolName;
  info.ietf_version_or_minus_one = -1;
  info.alpn = "http/1.1";
  info.pwsi = &wsi_;
  attempt_running_ = true;
  http_status_ = 0;
  failure_.clear();
  peer_close_code_.reset();
  Schedule(deadline_timer_, &OnTimer<&Impl::AbandonConnect>, options_.connect_timeout);
  if (lws_client_connect_via_info(&info) == nullptr) OnDown("the connection could not be started");
}

void WebSocketClient::Impl::AbandonConnect() {
  if (!attempt_running_ || wsi_ == nullptr) return;
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  // libwebsockets tells nobody when it kills an unfinished handshake.
  OnDown(established_ ? "the peer did not answer" : "connect timeout");
}

int WebSocketClient::Impl::OnEvent(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in,
                                   std::size_t len) {
  auto* self = static_cast<Impl*>(lws_context_user(lws_get_context(wsi)));
  if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
    self->OnWake();
    return 0;
  }
  // libwebsockets asks other questions, too, some of them before or after the connection's life.
  const bool is_ours = self != nullptr && wsi == self->wsi_;
  if (!is_ours) return lws_callback_http_dummy(wsi, reason, nullptr, in, len);
  return self->OnConnectionEvent(
      reason, std::string_view(static_cast<const char*>(in), in == nullptr ? 0 : len));
}

int WebSocketClient::Impl::OnConnectionEvent(lws_callback_reasons reason, std::string_view in) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      return OnEstablished(), 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return OnReceive(in);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      return ping_sent_.reset(), 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return OnWriteable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      return OnPeerClose(in), 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      http_status_ = lws_http_client_http_response(wsi_);
      OnDown(in.starts_with("connect SSL") ? "TLS failed, is the certificate trusted?" : in);
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      return OnDown("connection lost"), 0;
    default:
      return 0;
  }
}

void WebSocketClient::Impl::OnWake() {
  bool want_write = false;
  bool want_read = false;
  {
    const std::lock_guard lock(mutex_);
    if (closing_ && !attempt_running_ && outgoing_.empty() && !end_) {
      Finish({ErrorCode::kClosed, "closed"});
    }
    want_write = closing_ || !outgoing_.empty();
    want_read = incoming_bytes_ < options_.receive_queue_bytes;
  }
  if (wsi_ == nullptr || !established_) return;
  if (want_write) lws_callback_on_writable(wsi_);
  if (want_read && throttled_) {
    throttled_ = false;
    lws_rx_flow_control(wsi_, 1);
  }
}

void WebSocketClient::Impl::OnEstablished() {
  established_ = true;
  established_at_ = Clock::System().Now();
  throttled_ = false;
  close_sent_ = false;
  ping_sent_.reset();
  Cancel(deadline_timer_);
  // What waits in the kernel can no longer be dropped, so keep it small.
  setsockopt(lws_get_socket_fd(wsi_), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytesInKernel,
             sizeof(kUnsentBytesInKernel));
  if (options_.ping_interval.count() > 0) {
    Schedule(ping_timer_, &OnTimer<&Impl::Ping>, options_.ping_interval);
  }
  {
    const std::lock_guard lock(mutex_);
    discontinuity_ = stats_.connections++ > 0;
    if (discontinuity_) ++stats_.reconnects;
    outgoing_.SkipBegunGroup();
  }
  lws_callback_on_writable(wsi_);
}

void WebSocketClient::Impl::Ping() {
  if (wsi_ == nullptr || !established_) return;
  const SteadyTime now = Clock::System().Now();
  // While we do not read, a pong cannot arrive.
  if (throttled_) ping_sent_.reset();
  if (ping_sent_ && now - *ping_sent_ >= options_.ping_timeout) {
    return AbandonConnect();
  }
  ping_due_ = !ping_sent_ && !throttled_;
  if (ping_due_) lws_callback_on_writable(wsi_);
  Schedule(ping_timer_, &OnTimer<&Impl::Ping>, options_.ping_interval);
}

int WebSocketClient::Impl::OnReceive(std::string_view in) {
  if (close_sent_) return 0;
  ping_sent_.reset();  // any sign of life will do
  if (lws_is_first_fragment(wsi_) != 0) {
    partial_.clear();
    partial_is_text_ = lws_frame_is_binary(wsi_) == 0;
  }
  if (partial_.size() + in.size() > options_.max_message_bytes) {
    failure_ = "a message is longer than max-message-bytes";
    close_sent_ = true;
    lws_close_reason(wsi_, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, nullptr, 0);
    return -1;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(in.data());
  partial_.insert(partial_.end(), bytes, bytes + in.size());
  if (lws_is_final_fragment(wsi_) != 0) Deliver();
  return 0;
}

void WebSocketClient::Impl::Deliver() {
  const std::lock_guard lock(mutex_);
  std::vector<std::byte> bytes = std::exchange(partial_, {});
  if (partial_is_text_) {
    ++stats_.text_messages;
    return;
  }
  if (bytes.empty()) return;
  ++stats_.messages_received;
  stats_.bytes_received += bytes.size();
  incoming_bytes_ += bytes.size() + kMessageCost;
  incoming_.push_back({std::move(bytes), std::exchange(discontinuity_, false)});
  changed_.notify_all();
  if (incoming_bytes_ >= options_.receive_queue_bytes && !throttled_) {
    throttled_ = true;
    lws_rx_flow_control(wsi_, 0);
  }
}

// One message a call; libwebsockets keeps what the kernel did not take and calls again after it.
int WebSocketClient::Impl::OnWriteable() {
  if (close_sent_) return 0;
  if (std::exchange(ping_due_, false)) {
    unsigned char ping[LWS_PRE] = {};
    ping_sent_ = Clock::System().Now();
    if (lws_write(wsi_, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0) return -1;
    lws_callback_on_writable(wsi_);
    return 0;
  }
  std::optional<GroupQueue::Message> message;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    message = outgoing_.Pop();
    more = !outgoing_.empty() || closing_;
    if (!message && closing_) {
      close_sent_ = true;
      lws_close_reason(wsi_, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
      return -1;
    }
    if (!message) return 0;
    ++stats_.messages_sent;
    stats_.bytes_sent += message->size() - LWS_PRE;
  }
  auto* payload = reinterpret_cast<unsigned char*>(message->data()) + LWS_PRE;
  if (lws_write(wsi_, payload, message->size() - LWS_PRE, LWS_WRITE_BINARY) < 0) return -1;
  if (more) lws_callback_on_writable(wsi_);
  return 0;
}

void WebSocketClient::Impl::OnPeerClose(std::string_view in) {
  peer_close_code_ = 1005;  // "no code was sent" (RFC 6455, 7.4.1)
  if (in.size() >= 2) {
    peer_close_code_ = static_cast<std::uint16_t>((static_cast<unsigned char>(in[0]) << 8) |
                                                  static_cast<unsigned char>(in[1]));
  }
  const std::lock_guard lock(mutex_);
  stats_.close_code = peer_close_code_;
}

void WebSocketClient::Impl::OnDown(std::string_view why) {
  if (!std::exchange(attempt_running_, false)) return;
  const SteadyTime now = Clock::System().Now();
  wsi_ = nullptr;
  partial_.clear();
  Cancel(deadline_timer_);
  Cancel(ping_timer_);
  // A peer that accepts only to close again must not be asked without a pause, or for ever.
  if (std::exchange(established_, false) && now - established_at_ >= options_.settled_after) {
    back_off_.Succeeded();
  }
  if (stopping_) return;
  std::string text = failure_.empty() ? std::string(why) : failure_;
  if (text.empty()) text = "the connection failed";
  if (peer_close_code_) text = "the peer closed with code " + std::to_string(*peer_close_code_);
  std::optional<SteadyTime> next;
  if (options_.reconnect == Reconnect::kAfterLoss) next = back_off_.Failed(now);
  const std::lock_guard lock(mutex_);
  const bool sent_all = closing_ && outgoing_.empty();
  if (sent_all || peer_close_code_ == LWS_CLOSE_STATUS_NORMAL) {
    return Finish({ErrorCode::kClosed, "closed"});
  }
  stats_.last_error = text = "websocket " + options_.url + ": " + text;
  if (!next) {
    return Finish({http_status_ == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable, text});
  }
  Schedule(connect_timer_, &OnTimer<&Impl::Connect>, std::chrono::ceil<milliseconds>(*next - now));
}

void WebSocketClient::Impl::Finish(Error end) {
  Cancel(connect_timer_);
  end_ = std::move(end);
  changed_.notify_all();
}

Result<WebSocketMessage> WebSocketClient::Impl::Receive(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const bool woken =
      changed_.wait_for(lock, timeout, [&] { return interrupted_ || !incoming_.empty() || end_; });
  if (!woken) return Error{ErrorCode::kTimeout, "websocket: no message in time"};
  if (interrupted_) return Error{ErrorCode::kCancelled, "websocket: interrupted"};
  if (incoming_.empty()) return *end_;
  WebSocketMessage message = std::move(incoming_.front());
  incoming_.pop_front();
  const bool was_full = incoming_bytes_ >= options_.receive_queue_bytes;
  incoming_bytes_ -= message.bytes.size() + kMessageCost;
  lock.unlock();
  if (was_full) Wake();
  return message;
}

Status WebSocketClient::Impl::Send(std::span<const std::byte> bytes,
                                   GroupQueue::Position position) {
  if (bytes.empty()) return {};
  GroupQueue::Message message(LWS_PRE + bytes.size());  // libwebsockets writes the header in front
  std::copy(bytes.begin(), bytes.end(), message.begin() + LWS_PRE);
  {
    const std::lock_guard lock(mutex_);
    if (end_) return *end_;
    if (closing_) return Error{ErrorCode::kClosed, "websocket: closed by us"};
    if (!outgoing_.Push(std::move(message), position)) {
      return Error{ErrorCode::kResourceLimit, "websocket: the send queue is full"};
    }
  }
  Wake();
  return {};
}

Status WebSocketClient::Impl::Close() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  Wake();
  const bool woken =
      changed_.wait_for(lock, options_.close_timeout, [&] { return interrupted_ || end_; });
  if (!woken) return Error{ErrorCode::kTimeout, "websocket: no close in time"};
  if (!end_) return Error{ErrorCode::kCancelled, "websocket: interrupted"};
  if (end_->code != ErrorCode::kClosed) return *end_;
  return {};
}

void WebSocketClient::Impl::SetInterrupted(bool interrupted) {
  const std::lock_guard lock(mutex_);
  interrupted_ = interrupted;
  changed_.notify_all();
}
WebSocketClientStats WebSocketClient::Impl::stats() const {
  const std::lock_guard lock(mutex_);
  WebSocketClientStats stats = stats_;
  stats.receive_queued_bytes = incoming_bytes_;
  stats.send_queued_bytes = outgoing_.bytes();
  stats.dropped_messages = outgoing_.dropped_messages();
  stats.dropped_groups = outgoing_.dropped_groups();
  return stats;
}

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::Open(WebSocketClientOptions options) {
  auto url = ParseWebSocketUrl(options.url);
  if (!url) return url.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*url));
  if (Status started = impl->Start(); !started) return started.error();
  return std::unique_ptr<WebSocketClient>(new WebSocketClient(std::move(impl)));
}

WebSocketClient::WebSocketClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocketClient::~WebSocketClient() = default;

Result<WebSocketMessage> WebSocketClient::Receive(milliseconds timeout) {
  return impl_->Receive(timeout);
}
Status WebSocketClient::Send(std::span<const std::byte> bytes, GroupQueue::Position position) {
  return impl_->Send(bytes, position);
}
Status WebSocketClient::Close() { return impl_->Close(); }
void WebSocketClient::Interrupt() { impl_->SetInterrupted(true); }
void WebSocketClient::Resume() { impl_->SetInterrupted(false); }
WebSocketClientStats WebSocketClient::stats() const { return impl_->stats(); }

}  // namespace framelock::net
