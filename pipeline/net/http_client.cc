// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "pipeline/core/thread_name.h"
#include "pipeline/net/http_transfer.h"

namespace framelock::net {
namespace {

// curl initialises itself once a process, whoever comes first.
bool CurlReady() {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kReady;
}

int PollTimeout(std::optional<SteadyTime> deadline) {
  constexpr std::chrono::milliseconds kLongest{60000};
  if (!deadline) return kLongest.count();
  // Rounded up: rounding down would spin through the last millisecond.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::System().Now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kLongest).count());
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(HttpClientOptions options, HttpClientEvents& events, CURLM* multi)
      : options_(std::move(options)), events_(events), multi_(multi) {
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_connections));
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    stopping_.store(true);
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  TransferId Start(HttpClientRequest request) {
    const TransferId id = next_id_.fetch_add(1);
    Command([this, id, request = std::move(request)] { Begin(id, request); });
    return id;
  }
  void Cancel(TransferId id) {
    Command([this, id] { Remove(id); });
  }
  void ResumeBody(TransferId id) {
    Command([this, id] {
      if (const auto found = transfers_.find(id); found != transfers_.end()) {
        found->second->ResumeBody();
      }
    });
  }
  void ResumeUpload(TransferId id) {
    Command([this, id] {
      if (const auto found = transfers_.find(id); found != transfers_.end()) {
        found->second->ResumeUpload();
      }
    });
  }
  void Wake() { curl_multi_wakeup(multi_); }
  [[nodiscard]] std::uint64_t connections() const { return connections_.load(); }

 private:
  // Curl may not be called from its own callbacks, so whatever is asked for waits until it
  // returned.
  void Command(std::function<void()> command) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
    // The network thread itself looks again before it sleeps.
    if (std::this_thread::get_id() != network_thread_) curl_multi_wakeup(multi_);
  }

  void PrepareThread() {
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    const std::lock_guard lock(mutex_);
    network_thread_ = std::this_thread::get_id();
  }

  void Run() {
    NameThread("http-client");
    PrepareThread();
    while (!stopping_.load()) {
      RunCommands();
      int running = 0;
      curl_multi_perform(multi_, &running);
      FinishTransfers();
      std::optional<SteadyTime> deadline = events_.OnWake();
      for (const auto& [id, transfer] : transfers_) {
        const std::optional<SteadyTime> discard = transfer->discard_deadline();
        if (discard && (!deadline || *discard < *deadline)) deadline = discard;
      }
      if (HasCommands()) continue;
      curl_multi_poll(multi_, nullptr, 0, PollTimeout(deadline), nullptr);
    }
    while (!transfers_.empty()) Remove(transfers_.begin()->first);
  }

  bool HasCommands() {
    const std::lock_guard lock(mutex_);
    return !commands_.empty();
  }

  void RunCommands() {
    std::vector<std::function<void()>> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    for (const auto& command : commands) command();
  }

  void Begin(TransferId id, const HttpClientRequest& request) {
    auto transfer = HttpTransfer::Create(id, request, options_, events_, connections_);
    if (!transfer) return events_.OnEnd(id, transfer.error());
    if (curl_multi_add_handle(multi_, (*transfer)->easy()) != CURLM_OK) {
      return events_.OnEnd(id, Error{ErrorCode::kInternal, "curl did not accept the request"});
    }
    transfers_.emplace(id, std::move(*transfer));
  }

  void Remove(TransferId id) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return;
    curl_multi_remove_handle(multi_, found->second->easy());
    transfers_.erase(found);
  }

  void FinishTransfers() {
    std::vector<std::pair<TransferId, CURLcode>> ended;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      HttpTransfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      ended.emplace_back(transfer->id(), message->data.result);
    }
    const SteadyTime now = Clock::System().Now();
    for (const auto& [id, transfer] : transfers_) {
      const auto deadline = transfer->discard_deadline();
      if (deadline && *deadline <= now) ended.emplace_back(id, CURLE_OK);
    }
    for (const auto& [id, code] : ended) {
      const auto found = transfers_.find(id);
      if (found == transfers_.end()) continue;
      const Status status = found->second->EndStatus(code);
      Remove(id);
      events_.OnEnd(id, status);
    }
  }

  const HttpClientOptions options_;
  HttpClientEvents& events_;
  CURLM* const multi_;
  std::atomic<bool> stopping_{false};
  std::atomic<TransferId> next_id_{1};
  std::atomic<std::uint64_t> connections_{0};
  std::mutex mutex_;
  std::thread::id network_thread_;                                 // under mutex_
  std::vector<std::function<void()>> commands_;                    // under mutex_
  std::map<TransferId, std::unique_ptr<HttpTransfer>> transfers_;  // network thread
  std::thread thread_;
};

Result<std::unique_ptr<HttpClient>> HttpClient::Create(HttpClientOptions options,
                                                       HttpClientEvents& events) {
  CURLM* multi = CurlReady() ? curl_multi_init() : nullptr;
  if (multi == nullptr) return Error{ErrorCode::kInternal, "curl could not be initialised"};
  return std::unique_ptr<HttpClient>(
      new HttpClient(std::make_unique<Impl>(std::move(options), events, multi)));
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

TransferId HttpClient::Start(HttpClientRequest request) { return impl_->Start(std::move(request)); }
void HttpClient::Cancel(TransferId id) { impl_->Cancel(id); }
void HttpClient::ResumeBody(TransferId id) { impl_->ResumeBody(id); }
void HttpClient::ResumeUpload(TransferId id) { impl_->ResumeUpload(id); }
void HttpClient::Wake() { impl_->Wake(); }
std::uint64_t HttpClient::connections() const { return impl_->connections(); }

}  // namespace framelock::net
