// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/http_client.h"

namespace framelock::net {

// One request on its way: a curl easy handle and the callbacks it points at. Part of HttpClient,
// whose network thread is the only one to touch it.
class HttpTransfer {
 public:
  static Result<std::unique_ptr<HttpTransfer>> Create(TransferId id,
                                                      const HttpClientRequest& request,
                                                      const HttpClientOptions& options,
                                                      HttpClientEvents& events,
                                                      std::atomic<std::uint64_t>& connections);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  [[nodiscard]] TransferId id() const { return id_; }
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  void ResumeBody();
  void ResumeUpload();
  // When the body of an answer other than 2xx has held the connection up for too long.
  [[nodiscard]] std::optional<SteadyTime> discard_deadline() const { return discard_deadline_; }
  // What curl's end means to the owner of the request.
  [[nodiscard]] Status EndStatus(CURLcode code) const;

 private:
  struct EasyCleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct ListFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  HttpTransfer(TransferId id, const HttpClientOptions& options, HttpClientEvents& events,
               std::atomic<std::uint64_t>& connections);
  Status Prepare(const HttpClientRequest& request);
  bool PrepareTransport();
  bool PrepareCallbacks();
  bool PrepareMethod(const HttpClientRequest& request);
  bool AddHeader(const std::string& line);
  std::size_t Head(std::string_view line);
  std::size_t Body(std::span<const std::byte> piece);
  std::size_t Discard(std::size_t size);
  std::size_t Upload(std::span<std::byte> room);

  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnWrite(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnRead(char* data, std::size_t size, std::size_t count, void* self);
  static int OnRequest(void* self, char* peer, char* local, int peer_port, int local_port);
  static int OnSocket(void* self, curl_socket_t socket, curlsocktype purpose);

  const TransferId id_;
  const HttpClientOptions& options_;
  HttpClientEvents& events_;
  std::atomic<std::uint64_t>& connections_;
  std::unique_ptr<CURL, EasyCleanup> easy_;
  std::unique_ptr<curl_slist, ListFree> headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  HttpHeadParser parser_;
  std::size_t discarded_bytes_ = 0;
  std::optional<SteadyTime> discard_deadline_;
  bool body_paused_ = false;
  bool upload_paused_ = false;
  bool uploaded_ = false;  // the body has begun or ended
};

}  // namespace framelock::net
