// SPDX-License-Identifier: Apache-2.0
#include "trickle/headers.h"

#include <charconv>

namespace framelock::trickle {
namespace {

std::optional<std::uint64_t> SeqHeader(const net::HttpResponseHead& head, std::string_view name) {
  const auto value = head.Header(name);
  return value ? ParseSeq(*value) : std::nullopt;
}

bool IsHtml(std::string_view content_type) {
  constexpr std::string_view kHtml = "text/html";
  if (content_type.size() < kHtml.size()) return false;
  for (std::size_t i = 0; i < kHtml.size(); ++i) {
    if ((content_type[i] | 0x20) != (kHtml[i] | 0x20)) return false;
  }
  return content_type.size() == kHtml.size() || content_type[kHtml.size()] == ';' ||
         content_type[kHtml.size()] == ' ';
}

}  // namespace

std::optional<std::uint64_t> ParseSeq(std::string_view text) {
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc() || end != text.data() + text.size() || seq > kMaxSeq) {
    return std::nullopt;
  }
  return seq;
}

AnswerHead AnswerHead::From(const net::HttpResponseHead& head) {
  AnswerHead answer;
  answer.status = head.status;
  answer.seq = SeqHeader(head, kSeqHeader);
  answer.latest = SeqHeader(head, kLatestHeader);
  answer.closed = head.Header(kClosedHeader).has_value();
  answer.html = IsHtml(head.Header("Content-Type").value_or(""));
  return answer;
}

}  // namespace framelock::trickle
