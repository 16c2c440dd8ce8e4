// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>
#include <utility>

namespace framelock::net {
namespace {

template <typename Value>
bool Set(CURL* easy, CURLoption option, Value value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

bool IsSuccess(unsigned status) { return status >= 200 && status < 300; }

}  // namespace

Result<std::unique_ptr<HttpTransfer>> HttpTransfer::Create(
    TransferId id, const HttpClientRequest& request, const HttpClientOptions& options,
    HttpClientEvents& events, std::atomic<std::uint64_t>& connections) {
  std::unique_ptr<HttpTransfer> transfer(new HttpTransfer(id, options, events, connections));
  if (const Status prepared = transfer->Prepare(request); !prepared) return prepared.error();
  return transfer;
}

HttpTransfer::HttpTransfer(TransferId id, const HttpClientOptions& options,
                           HttpClientEvents& events, std::atomic<std::uint64_t>& connections)
    : id_(id),
      options_(options),
      events_(events),
      connections_(connections),
      easy_(curl_easy_init()) {}

Status HttpTransfer::Prepare(const HttpClientRequest& request) {
  bool ready = easy_ != nullptr && PrepareTransport() && PrepareCallbacks() &&
               PrepareMethod(request) && Set(easy(), CURLOPT_URL, request.url.ToString().c_str()) &&
               Set(easy(), CURLOPT_USERAGENT, options_.user_agent.c_str());
  for (const auto& [name, value] : request.headers) {
    std::string line = name;
    line += value.empty() ? ";" : ": ";  // ';' is curl's notation for a header without a value
    line += value;
    ready = ready && AddHeader(line);
  }
  ready = ready && Set(easy(), CURLOPT_HTTPHEADER, headers_.get());
  if (!ready) return Error{ErrorCode::kInternal, "curl did not accept the request's options"};
  return {};
}

bool HttpTransfer::PrepareTransport() {
  const long verify = options_.verify_tls ? 1 : 0;
  return Set(easy(), CURLOPT_PROTOCOLS_STR, "http,https") &&
         Set(easy(), CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) &&
         Set(easy(), CURLOPT_FOLLOWLOCATION, 0L) && Set(easy(), CURLOPT_PROXY, "") &&
         Set(easy(), CURLOPT_PATH_AS_IS, 1L) && Set(easy(), CURLOPT_NOSIGNAL, 1L) &&
         // A name server that does not answer must not hold the destructor up.
         Set(easy(), CURLOPT_QUICK_EXIT, 1L) && Set(easy(), CURLOPT_SSL_VERIFYPEER, verify) &&
         Set(easy(), CURLOPT_SSL_VERIFYHOST, verify * 2) &&
         Set(easy(), CURLOPT_CONNECTTIMEOUT_MS,
             static_cast<long>(options_.connect_timeout.count()));
}

bool HttpTransfer::PrepareCallbacks() {
  return Set(easy(), CURLOPT_PRIVATE, this) && Set(easy(), CURLOPT_ERRORBUFFER, error_.data()) &&
         Set(easy(), CURLOPT_HEADERFUNCTION, &HttpTransfer::OnHeader) &&
         Set(easy(), CURLOPT_HEADERDATA, this) &&
         Set(easy(), CURLOPT_WRITEFUNCTION, &HttpTransfer::OnWrite) &&
         Set(easy(), CURLOPT_WRITEDATA, this) &&
         Set(easy(), CURLOPT_PREREQFUNCTION, &HttpTransfer::OnRequest) &&
         Set(easy(), CURLOPT_PREREQDATA, this) &&
         Set(easy(), CURLOPT_SOCKOPTFUNCTION, &HttpTransfer::OnSocket) &&
         Set(easy(), CURLOPT_SOCKOPTDATA, this);
}

bool HttpTransfer::PrepareMethod(const HttpClientRequest& request) {
  if (request.body == RequestBody::kStreamed) {
    return Set(easy(), CURLOPT_POST, 1L) &&
           Set(easy(), CURLOPT_CUSTOMREQUEST, request.method.c_str()) &&
           Set(easy(), CURLOPT_READFUNCTION, &HttpTransfer::OnRead) &&
           Set(easy(), CURLOPT_READDATA, this) && AddHeader("Transfer-Encoding: chunked") &&
           AddHeader("Expect:");
  }
  if (request.method == "POST") {
    // An empty value keeps curl from adding its form type.
    return Set(easy(), CURLOPT_POST, 1L) && Set(easy(), CURLOPT_POSTFIELDS, "") &&
           Set(easy(), CURLOPT_POSTFIELDSIZE, 0L) && AddHeader("Content-Type:");
  }
  return Set(easy(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

bool HttpTransfer::AddHeader(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) return false;
  (void)headers_.release();
  headers_.reset(longer);
  return true;
}

void HttpTransfer::ResumeBody() {
  if (!std::exchange(body_paused_, false)) return;
  curl_easy_pause(easy(), CURLPAUSE_CONT);
}

void HttpTransfer::ResumeUpload() {
  if (!std::exchange(upload_paused_, false)) return;
  curl_easy_pause(easy(), CURLPAUSE_CONT);
}

Status HttpTransfer::EndStatus(CURLcode code) const {
  // A body that was cut off because nobody wants it does not make the answer less complete.
  if (code == CURLE_OK || (parser_.complete() && !IsSuccess(parser_.head().status))) return {};
  const std::string text = error_.front() != '\0' ? error_.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
      return Error{ErrorCode::kUnavailable, text};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Error{ErrorCode::kInvalidArgument, text};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return Error{ErrorCode::kProtocol, text};
    default:
      return Error{ErrorCode::kClosed, text};
  }
}

std::size_t HttpTransfer::Head(std::string_view line) {
  if (!parser_.Feed(line)) return line.size();
  if (!IsSuccess(parser_.head().status)) {
    discard_deadline_ = Clock::System().Now() + options_.discard_timeout;
  }
  events_.OnHead(id_, parser_.head());
  return line.size();
}

std::size_t HttpTransfer::Body(std::span<const std::byte> piece) {
  if (!IsSuccess(parser_.head().status)) return Discard(piece.size());
  if (events_.OnBody(id_, piece) == BodyAction::kTaken) return piece.size();
  body_paused_ = true;
  return CURL_WRITEFUNC_PAUSE;
}

std::size_t HttpTransfer::Discard(std::size_t size) {
  discarded_bytes_ += size;
  return discarded_bytes_ <= options_.max_discarded_bytes ? size : 0;  // 0: curl ends it
}

std::size_t HttpTransfer::Upload(std::span<std::byte> room) {
  const std::optional<std::size_t> size = events_.OnUpload(id_, room);
  if (size) {
    uploaded_ = true;
    return *size;
  }
  upload_paused_ = true;
  return CURL_READFUNC_PAUSE;
}

std::size_t HttpTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->Head({data, size * count});
}

std::size_t HttpTransfer::OnWrite(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->Body(
      std::as_bytes(std::span<const char>(data, size * count)));
}

std::size_t HttpTransfer::OnRead(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->Upload(
      std::as_writable_bytes(std::span<char>(data, size * count)));
}

int HttpTransfer::OnRequest(void* self, char*, char*, int, int) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  // Curl repeats a request whose reused connection was already dying. It cannot know that body
  // bytes it has pulled are gone, so that is for the owner to mend.
  if (transfer->uploaded_) return CURL_PREREQFUNC_ABORT;
  long opened = 0;
  curl_easy_getinfo(transfer->easy(), CURLINFO_NUM_CONNECTS, &opened);
  transfer->connections_.fetch_add(static_cast<std::uint64_t>(opened), std::memory_order_relaxed);
  return CURL_PREREQFUNC_OK;
}

// Long silences are normal here, dead peers are not: the kernels ask each other.
int HttpTransfer::OnSocket(void* self, curl_socket_t socket, curlsocktype) {
  const auto timeout = static_cast<HttpTransfer*>(self)->options_.peer_timeout;
  const int on = 1;
  const int idle_s = 10;
  const int interval_s = 3;
  const auto timeout_ms = static_cast<unsigned>(timeout.count());
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
  return CURL_SOCKOPT_OK;
}

}  // namespace framelock::net
