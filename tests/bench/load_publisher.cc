// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load_publisher.h"

#include <cstdio>
#include <cstring>

#include "tests/bench/load_stamp.h"

namespace framelock::bench {
namespace {

constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::string HostLine(const ServerAddress& server) {
  return "Host: " + server.host + ":" + std::to_string(server.port) + "\r\n";
}

// One wire chunk whose payload begins with a stamp yet to be written.
std::string ChunkOf(std::size_t bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes);
  return size + std::string(bytes, 'x') + std::string(kChunkEnd);
}

}  // namespace

LoadPublisher::LoadPublisher(LoadLoop& loop, const LoadOptions& options, std::uint32_t channel,
                             const std::string& name)
    : options_(options),
      channel_(channel),
      path_(options.server.base + "/" + name),
      control_(loop, options.server, {[] {}, [](std::string_view) {}, [] {}}),
      lines_{LoadConnection(loop, options.server,
                            {[] {}, [](std::string_view) {}, [this] { Preconnect(); }}),
             LoadConnection(loop, options.server,
                            {[] {}, [](std::string_view) {}, [this] { Preconnect(); }})},
      chunk_(ChunkOf(options.chunk_bytes)) {}

void LoadPublisher::Ask(const std::string& method, const std::string& headers) {
  control_.Request(method + " " + path_ + " HTTP/1.1\r\n" + HostLine(options_.server) + headers +
                   "Content-Length: 0\r\n\r\n");
}

bool LoadPublisher::settled() const {
  return control_.idle() &&
         (segment_ < options_.segments || (lines_[0].idle() && lines_[1].idle()));
}

bool LoadPublisher::failed() const {
  return control_.failed() || lines_[0].failed() || lines_[1].failed();
}

void LoadPublisher::Start(SteadyTime first) {
  next_ = first;
  if (options_.style == LoadOptions::Style::kPreconnect) BeginSegment(0);
}

void LoadPublisher::BeginSegment(std::uint32_t segment) {
  const bool fresh = options_.style == LoadOptions::Style::kReconnect;
  connection(segment).Request("POST " + path_ + "/" + std::to_string(segment) + " HTTP/1.1\r\n" +
                              HostLine(options_.server) +
                              "Content-Type: video/mp2t\r\nTransfer-Encoding: chunked\r\n" +
                              (fresh ? "Connection: close\r\n\r\n" : "\r\n"));
  begun_ = segment + 1;
}

// The next segment's POST goes out as soon as this one has a byte and its connection is free.
void LoadPublisher::Preconnect() {
  if (options_.style != LoadOptions::Style::kPreconnect) return;
  if (written_ > 0 && begun_ == segment_ + 1 && begun_ < options_.segments &&
      connection(begun_).idle()) {
    BeginSegment(begun_);
  }
}

void LoadPublisher::WriteChunk() {
  const LoadStamp stamp{.written_ns = std::chrono::steady_clock::now().time_since_epoch().count(),
                        .channel = channel_,
                        .segment = segment_,
                        .chunk = written_};
  const std::size_t payload = chunk_.size() - kChunkEnd.size() - options_.chunk_bytes;
  std::memcpy(chunk_.data() + payload, &stamp, sizeof stamp);
  if (begun_ == segment_) {
    if (!connection(segment_).idle()) connection(segment_).Close();
    BeginSegment(segment_);
  }
  connection(segment_).Send(chunk_);
  ++written_;
  Preconnect();
}

void LoadPublisher::EndSegment() {
  connection(segment_).Send(kLastChunk);
  ++segment_;
  written_ = 0;
}

std::optional<SteadyTime> LoadPublisher::Tick() {
  while (segment_ < options_.segments && std::chrono::steady_clock::now() >= next_) {
    WriteChunk();
    if (written_ == options_.chunks_per_segment) {
      EndSegment();
      if (segment_ < options_.segments) WriteChunk();
    }
    next_ += options_.chunk_interval;
  }
  if (segment_ == options_.segments) return std::nullopt;
  return next_;
}

}  // namespace framelock::bench
