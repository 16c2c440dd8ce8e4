// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "pipeline/net/http_server.h"
#include "trickle/relay/channel_table.h"

namespace framelock::relay {

inline constexpr const char* kSeqHeader = "Lp-Trickle-Seq";
inline constexpr const char* kLatestHeader = "Lp-Trickle-Latest";
inline constexpr const char* kClosedHeader = "Lp-Trickle-Closed";
inline constexpr const char* kResetHeader = "Lp-Trickle-Reset";
inline constexpr const char* kClosedValue = "terminated";

/// A sentence as text/plain.
inline net::HttpResponse TextAnswer(unsigned status, std::string text) {
  net::HttpResponse answer;
  answer.status = status;
  answer.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  answer.body = std::move(text);
  return answer;
}

/// As TextAnswer, and the connection ends: for requests whose body nobody wants.
inline net::HttpResponse RefusalAnswer(unsigned status, std::string text) {
  net::HttpResponse answer = TextAnswer(status, std::move(text));
  answer.close = true;
  return answer;
}

/// Why there is no channel to work on.
inline net::HttpResponse NoChannelAnswer(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDenied:
      return RefusalAnswer(403, "Creating this stream is not allowed\n");
    case Verdict::kTooMany:
      return RefusalAnswer(503, "Too many streams\n");
    default:
      return RefusalAnswer(404, "Stream not found\n");
  }
}

inline void AddNumber(net::HttpResponse& answer, const char* name, std::uint64_t number) {
  answer.headers.emplace_back(name, std::to_string(number));
}

}  // namespace framelock::relay
