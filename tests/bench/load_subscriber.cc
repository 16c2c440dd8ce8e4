// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load_subscriber.h"

#include <algorithm>
#include <cstring>

namespace framelock::bench {
namespace {

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

LoadSubscriber::Line::Line(LoadSubscriber& owner, LoadLoop& loop)
    : connection(
          loop, owner.options_.server,
          {.on_head = [&owner, this] { owner.OnHead(*this); },
           .on_bytes = [&owner, this](std::string_view bytes) { owner.OnBytes(*this, bytes); },
           .on_end = [&owner, this] { owner.OnEnd(*this); }}) {}

LoadSubscriber::LoadSubscriber(LoadLoop& loop, const LoadOptions& options, LoadFigures& figures,
                               std::uint32_t channel, const std::string& name)
    : options_(options),
      figures_(figures),
      channel_(channel),
      path_(options.server.base + "/" + name),
      lines_{Line(*this, loop), Line(*this, loop)} {}

bool LoadSubscriber::fell_behind() const {
  return refused_ || lines_[0].connection.failed() || lines_[1].connection.failed();
}

void LoadSubscriber::Ask(std::uint32_t segment) {
  Line& line = lines_[segment % 2];
  line.segment = segment;
  line.chunk_offset = 0;
  line.chunk = 0;
  asked_ = segment + 1;
  const bool fresh = options_.style == LoadOptions::Style::kReconnect;
  line.connection.Request("GET " + path_ + "/" + std::to_string(segment) + " HTTP/1.1\r\nHost: " +
                          options_.server.host + ":" + std::to_string(options_.server.port) +
                          (fresh ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n"));
}

void LoadSubscriber::AskNextIfFree() {
  const bool due =
      options_.style == LoadOptions::Style::kPreconnect ? asked_ == heads_ : asked_ == ended_;
  if (due && asked_ < options_.segments && lines_[asked_ % 2].connection.idle()) Ask(asked_);
}

void LoadSubscriber::OnHead(Line& line) {
  if (line.connection.status() != 200) {
    refused_ = true;
    return;
  }
  heads_ = std::max(heads_, line.segment + 1);
  AskNextIfFree();
}

void LoadSubscriber::OnBytes(Line& line, std::string_view bytes) {
  if (refused_ || wrong_) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  figures_.bytes += bytes.size();
  if (line.untouched()) OnFirstByte(line.segment, now);
  while (!bytes.empty()) {
    const std::size_t here = std::min(bytes.size(), options_.chunk_bytes - line.chunk_offset);
    if (line.chunk_offset < sizeof line.stamp) {
      const std::size_t part = std::min(here, sizeof line.stamp - line.chunk_offset);
      std::memcpy(reinterpret_cast<char*>(&line.stamp) + line.chunk_offset, bytes.data(), part);
    }
    line.chunk_offset += here;
    bytes.remove_prefix(here);
    if (line.chunk_offset < options_.chunk_bytes) return;
    OnChunk(line, now);
    line.chunk_offset = 0;
    ++line.chunk;
  }
}

void LoadSubscriber::OnChunk(const Line& line, SteadyTime now) {
  const LoadStamp& stamp = line.stamp;
  if (stamp.channel != channel_ || stamp.segment != line.segment || stamp.chunk != line.chunk) {
    wrong_ = "channel " + std::to_string(channel_) + " segment " + std::to_string(line.segment) +
             " chunk " + std::to_string(line.chunk) + " holds " + std::to_string(stamp.channel) +
             ", " + std::to_string(stamp.segment) + ", " + std::to_string(stamp.chunk);
    return;
  }
  const double latency =
      Milliseconds(now.time_since_epoch() - std::chrono::nanoseconds(stamp.written_ns));
  figures_.write_to_read.Add(latency);
  if (line.chunk == 0) figures_.first_chunk.Add(latency);
  if (line.chunk + 1 == options_.chunks_per_segment) OnLastByte(line.segment, now);
}

void LoadSubscriber::OnFirstByte(std::uint32_t segment, SteadyTime now) {
  if (end_ && end_->segment + 1 == segment) figures_.seam.Add(Milliseconds(now - end_->last_byte));
}

// The two come on two connections: the next segment's first byte may have been seen before.
void LoadSubscriber::OnLastByte(std::uint32_t segment, SteadyTime now) {
  const Line& next = lines_[(segment + 1) % 2];
  if (next.segment == segment + 1 && !next.untouched()) {
    figures_.seam.Add(0);
  } else {
    end_ = SegmentEnd{.segment = segment, .last_byte = now};
  }
}

void LoadSubscriber::OnEnd(Line& line) {
  if (refused_ || wrong_) return;
  if (line.chunk != options_.chunks_per_segment || line.chunk_offset != 0) {
    wrong_ = "segment " + std::to_string(line.segment) + " ended after " +
             std::to_string(line.chunk) + " of " + std::to_string(options_.chunks_per_segment) +
             " chunks";
    return;
  }
  ++ended_;
  if (options_.style == LoadOptions::Style::kReconnect) line.connection.Close();
  AskNextIfFree();
}

}  // namespace framelock::bench
