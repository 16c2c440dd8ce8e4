// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/api_client.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>

#include "pipeline/net/http_client.h"

namespace framelock::bench {

class ApiClient::Impl final : public net::HttpClientEvents {
 public:
  explicit Impl(net::Url url) : url_(std::move(url)) {}

  Status Open() {
    auto client = net::HttpClient::Create({}, *this);
    if (!client) return client.error();
    client_ = std::move(*client);
    return {};
  }

  Result<Answer> Call(const std::string& method, const std::string& path,
                      const nlohmann::json& body, std::chrono::milliseconds timeout) {
    net::HttpClientRequest request{.method = method, .url = url_.Child(path.substr(1))};
    std::unique_lock lock(mutex_);
    call_ = Exchange();
    if (!body.is_null()) {
      call_.upload = body.dump();
      request.headers = {{"Content-Type", "application/json"}};
      request.body = net::RequestBody::kStreamed;
    }
    call_.id = client_->Start(std::move(request));
    if (!ended_.wait_for(lock, timeout, [&] { return call_.ended; })) {
      client_->Cancel(call_.id);
      return Error{ErrorCode::kTimeout, method + " " + path + ": no answer in time"};
    }
    if (!call_.end) return call_.end.error();
    auto parsed = nlohmann::json::parse(call_.download, nullptr, false);
    return Answer{.status = call_.status,
                  .body = parsed.is_discarded() ? nlohmann::json() : std::move(parsed)};
  }

  void OnHead(net::TransferId id, const net::HttpResponseHead& head) override {
    const std::lock_guard lock(mutex_);
    if (id == call_.id) call_.status = head.status;
  }
  net::BodyAction OnBody(net::TransferId id, std::span<const std::byte> piece) override {
    const std::lock_guard lock(mutex_);
    if (id == call_.id) {
      call_.download.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    return net::BodyAction::kTaken;
  }
  std::optional<std::size_t> OnUpload(net::TransferId id, std::span<std::byte> room) override {
    const std::lock_guard lock(mutex_);
    if (id != call_.id) return 0;
    const std::size_t size = std::min(room.size(), call_.upload.size() - call_.sent);
    std::memcpy(room.data(), call_.upload.data() + call_.sent, size);
    call_.sent += size;
    return size;
  }
  void OnEnd(net::TransferId id, const Status& status) override {
    const std::lock_guard lock(mutex_);
    if (id != call_.id) return;
    call_.end = status;
    call_.ended = true;
    ended_.notify_all();
  }
  std::optional<SteadyTime> OnWake() override { return std::nullopt; }

 private:
  struct Exchange {
    net::TransferId id = 0;
    std::string upload, download;
    std::size_t sent = 0;
    unsigned status = 0;
    bool ended = false;
    Status end;
  };

  const net::Url url_;
  std::mutex mutex_;
  std::condition_variable ended_;
  Exchange call_;
  std::unique_ptr<net::HttpClient> client_;  // last: its thread uses all the others
};

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;

Result<std::unique_ptr<ApiClient>> ApiClient::Open(const std::string& url) {
  Result<net::Url> parsed = net::Url::Parse(url);
  if (!parsed) return Error{parsed.error().code, url + ": " + parsed.error().message};
  auto impl = std::make_unique<Impl>(std::move(*parsed));
  if (const Status opened = impl->Open(); !opened) return opened.error();
  return std::unique_ptr<ApiClient>(new ApiClient(std::move(impl)));
}

Result<ApiClient::Answer> ApiClient::Call(const std::string& method, const std::string& path,
                                          const nlohmann::json& body,
                                          std::chrono::milliseconds timeout) {
  return impl_->Call(method, path, body, timeout);
}

Result<nlohmann::json> ApiClient::Ask(const std::string& method, const std::string& path,
                                      const nlohmann::json& body) {
  Result<Answer> answer = Call(method, path, body);
  if (!answer) return answer.error();
  if (answer->status / 100 == 2) return std::move(answer->body);
  return Error{ErrorCode::kUnavailable,
               method + " " + path + " was answered " + std::to_string(answer->status)};
}

}  // namespace framelock::bench
