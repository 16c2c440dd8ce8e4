// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/answer_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace framelock::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::optional<std::uint64_t> Number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

// The value of a header of a lower-case head.
std::string_view Value(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == head.npos) return {};
  const std::size_t end = head.find("\r\n", at + name.size());
  return head.substr(at + name.size(), end - at - name.size());
}

}  // namespace

void AnswerParser::Feed(std::string_view bytes) {
  while (!bytes.empty() && !broken()) {
    if (state_ == State::kHead) {
      bytes = FeedHead(bytes);
    } else if (state_ == State::kBody) {
      bytes = FeedBody(bytes);
    } else if (TakeLine(bytes)) {
      TakeFramingLine();
    }
  }
}

std::string_view AnswerParser::FeedHead(std::string_view bytes) {
  const std::size_t before = line_.size();
  line_.append(bytes.substr(0, 16 * 1024));
  const std::size_t end =
      line_.find(kHeadEnd, before < kHeadEnd.size() ? 0 : before - kHeadEnd.size() + 1);
  if (end == line_.npos) {
    if (line_.size() >= 16 * 1024) state_ = State::kBroken;
    return {};
  }
  line_.resize(end + kHeadEnd.size());
  bytes.remove_prefix(line_.size() - before);
  TakeHead();
  return bytes;
}

void AnswerParser::TakeHead() {
  std::transform(line_.begin(), line_.end(), line_.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto status = line_.size() < 12 ? std::nullopt : Number({line_.data() + 9, 3}, 10);
  chunked_ = Value(line_, "\r\ntransfer-encoding: ") == "chunked";
  const auto length = Number(Value(line_, "\r\ncontent-length: "), 10);
  line_.clear();
  if (!status) {
    state_ = State::kBroken;
    return;
  }
  status_ = static_cast<unsigned>(*status);
  if (status_ < 200) return;  // interim: the answer is still to come
  if (!chunked_ && !length) {
    state_ = State::kBroken;
    return;
  }
  events_.on_head();
  left_ = length.value_or(0);
  state_ = chunked_ ? State::kSize : State::kBody;
  if (!chunked_ && left_ == 0) End();
}

std::string_view AnswerParser::FeedBody(std::string_view bytes) {
  const auto piece = bytes.substr(0, left_);
  events_.on_bytes(piece);
  left_ -= piece.size();
  if (left_ == 0) {
    state_ = State::kChunkEnd;
    if (!chunked_) End();
  }
  return bytes.substr(piece.size());
}

bool AnswerParser::TakeLine(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  line_.append(bytes.substr(0, end));
  bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  if (line_.size() > 1024) state_ = State::kBroken;
  return end != bytes.npos;
}

void AnswerParser::TakeFramingLine() {
  const std::string line = std::exchange(line_, {});
  if (state_ == State::kChunkEnd) {
    state_ = State::kSize;
  } else if (state_ == State::kTrailer) {
    if (line == "\r") End();
  } else {
    const auto size = Number(line, 16);
    left_ = size.value_or(0);
    state_ = !size ? State::kBroken : left_ > 0 ? State::kBody : State::kTrailer;
  }
}

void AnswerParser::End() {
  state_ = State::kHead;
  events_.on_end();
}

}  // namespace framelock::bench
