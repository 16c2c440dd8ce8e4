// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/net/http_head.h"

namespace framelock::trickle {

inline constexpr std::string_view kSeqHeader = "Lp-Trickle-Seq";
inline constexpr std::string_view kLatestHeader = "Lp-Trickle-Latest";
inline constexpr std::string_view kClosedHeader = "Lp-Trickle-Closed";
inline constexpr std::string_view kResetHeader = "Lp-Trickle-Reset";
inline constexpr std::string_view kExpectContentHeader = "Expect-Content";

inline constexpr unsigned kStatusOk = 200;
inline constexpr unsigned kStatusNotFound = 404;
inline constexpr unsigned kStatusNoSuchSegment = 470;  // behind the window, or too far ahead

/// What a segment number in a path may stand for besides itself.
inline constexpr std::int64_t kWireNext = -1;
inline constexpr std::int64_t kWireCurrent = -2;

/// Digits only, at most kMaxSeq, so that seq + 1 and the wire's signed number never overflow.
inline constexpr std::uint64_t kMaxSeq = (std::uint64_t{1} << 62) - 1;
std::optional<std::uint64_t> ParseSeq(std::string_view text);

/// What a trickle answer's head says.
struct AnswerHead {
  unsigned status = 0;
  std::optional<std::uint64_t> seq;     // of the segment (470: as asked)
  std::optional<std::uint64_t> latest;  // the number the next segment will have
  bool closed = false;                  // the channel has ended
  bool html = false;                    // a web page, so not a trickle server

  static AnswerHead From(const net::HttpResponseHead& head);
};

}  // namespace framelock::trickle
