// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace framelock::bench {

/// Takes HTTP/1.1 answers apart, as cheaply as can be: a load generator must be lighter than what
/// it measures. Trusts the server: framing it does not know ends as broken().
class AnswerParser {
 public:
  struct Events {
    std::function<void()> on_head;                   // of a final answer; status() is known
    std::function<void(std::string_view)> on_bytes;  // body, without the chunk framing
    std::function<void()> on_end;                    // the answer is whole; the next may follow
  };
  explicit AnswerParser(Events events) : events_(std::move(events)) {}

  void Feed(std::string_view bytes);

  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] bool broken() const { return state_ == State::kBroken; }

 private:
  enum class State : std::uint8_t { kHead, kSize, kBody, kChunkEnd, kTrailer, kBroken };

  std::string_view FeedHead(std::string_view bytes);
  std::string_view FeedBody(std::string_view bytes);
  void TakeHead();
  bool TakeLine(std::string_view& bytes);
  void TakeFramingLine();
  void End();

  Events events_;
  State state_ = State::kHead;
  std::string line_;  // head or framing line so far
  unsigned status_ = 0;
  bool chunked_ = false;
  std::uint64_t left_ = 0;  // of the chunk, or of the body
};

}  // namespace framelock::bench
