// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/response_head.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace framelock::net {
namespace {

constexpr std::array<std::pair<unsigned, std::string_view>, 34> kReasons{{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};

bool BreaksLine(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool IsFraming(std::string_view name) {
  return EqualsIgnoringCase(name, "Content-Length") ||
         EqualsIgnoringCase(name, "Transfer-Encoding") || EqualsIgnoringCase(name, "Connection");
}

// English day and month names whatever the locale is, as RFC 9110 wants them.
std::string HttpDate(std::time_t now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string_view ReasonPhrase(unsigned status) {
  const auto found = std::find_if(kReasons.begin(), kReasons.end(),
                                  [status](const auto& entry) { return entry.first == status; });
  return found == kReasons.end() ? "Unknown" : found->second;
}

Result<std::string> FormatResponseHead(unsigned status, std::string_view reason,
                                       std::span<const HttpHeader> headers,
                                       const ResponseFraming& framing) {
  if (status < 200 || status > 999 || BreaksLine(reason)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("impossible status line {}", status)};
  }
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", status, reason.empty() ? ReasonPhrase(status) : reason);
  for (const auto& [name, value] : headers) {
    if (name.empty() || BreaksLine(name) || BreaksLine(value) || IsFraming(name)) {
      return Error{ErrorCode::kInvalidArgument, "impossible response header " + name};
    }
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  }
  head += "Date: " + HttpDate(std::time(nullptr)) + "\r\n";
  if (framing.content_length)
    head += fmt::format("Content-Length: {}\r\n", *framing.content_length);
  if (framing.chunked) head += "Transfer-Encoding: chunked\r\n";
  if (framing.close) head += "Connection: close\r\n";
  if (framing.keep_alive) head += "Connection: keep-alive\r\n";
  head += "\r\n";
  return head;
}

}  // namespace framelock::net
