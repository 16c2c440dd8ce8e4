// SPDX-License-Identifier: Apache-2.0
// What a hostile trickle server can say: its answers' heads, line by line, into the parser, and
// what came of it into both sessions, with bodies and failures in between.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pipeline/net/http_head.h"
#include "trickle/headers.h"
#include "trickle/publisher_session.h"
#include "trickle/subscriber_session.h"

namespace framelock::trickle {
namespace {

class SubscriberPort : public SubscriberSession::Port {
 public:
  net::TransferId StartGet(std::int64_t wire_seq) override {
    if (wire_seq < kWireCurrent || wire_seq > static_cast<std::int64_t>(kMaxSeq) + 1) std::abort();
    return ++last_id;
  }
  void Cancel(net::TransferId) override {}
  void ResumeBody(net::TransferId) override {}
  bool HasRoom() override { return true; }
  void Push(Piece piece) override {
    if (piece.bytes.empty() || ended) std::abort();
  }
  void End(Error) override { ended = true; }

  net::TransferId last_id = 0;
  bool ended = false;
};

class PublisherPort : public PublisherSession::Port {
 public:
  net::TransferId StartCreate() override { return ++last_id; }
  net::TransferId StartNext() override { return ++last_id; }
  net::TransferId StartPost(std::uint64_t, PublisherSession::PostKind) override {
    return ++last_id;
  }
  net::TransferId StartDelete() override { return ++last_id; }
  void Cancel(net::TransferId) override {}
  void ResumeUpload(net::TransferId) override {}
  void Ended() override {}

  net::TransferId last_id = 0;
};

// Both sides of one channel, each answering its latest request or the one before.
class Peers {
 public:
  Peers() : subscriber_(MakeOptions(), gets_), publisher_(PublisherOptions{}, posts_) {
    subscriber_.Start(now_);
    publisher_.Start(now_);
  }

  void Act(std::string_view line) {
    now_ += std::chrono::milliseconds(line.size() * 10);
    const std::uint64_t back = line.size() % 2;
    const net::TransferId get = gets_.last_id - std::min(gets_.last_id, back);
    const net::TransferId post = posts_.last_id - std::min(posts_.last_id, back);
    if (line.starts_with("body ")) {
      (void)subscriber_.OnBody(get, std::as_bytes(std::span(line)), now_);
      (void)publisher_.Write(std::as_bytes(std::span(line)), now_);
      std::byte room[64];
      (void)publisher_.OnUpload(post, room, now_);
    } else if (line.starts_with("end")) {
      subscriber_.OnEnd(get, {}, now_);
      publisher_.OnEnd(post, {}, now_);
      (void)publisher_.BeginSegment();
    } else if (line.starts_with("break")) {
      const Error error{line.size() > 5 ? ErrorCode::kUnavailable : ErrorCode::kClosed, "broken"};
      subscriber_.OnEnd(get, error, now_);
      publisher_.OnEnd(post, error, now_);
    } else if (parser_.Feed(line)) {
      const AnswerHead head = AnswerHead::From(parser_.head());
      subscriber_.OnHead(get, head, now_);
      publisher_.OnHead(post, head, now_);
      parser_ = {};
    }
    subscriber_.OnTime(now_);
    publisher_.OnTime(now_);
    if (publisher_.stats().queued_bytes > PublisherOptions{}.queue_bytes) std::abort();
  }

 private:
  static SubscriberOptions MakeOptions() {
    SubscriberOptions options;
    options.max_segment_bytes = 1000;
    return options;
  }

  SteadyTime now_{std::chrono::hours(1)};
  net::HttpHeadParser parser_;
  SubscriberPort gets_;
  PublisherPort posts_;
  SubscriberSession subscriber_;
  PublisherSession publisher_;
};

}  // namespace
}  // namespace framelock::trickle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  framelock::trickle::Peers peers;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    peers.Act(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}
