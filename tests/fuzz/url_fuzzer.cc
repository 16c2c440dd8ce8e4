// SPDX-License-Identifier: Apache-2.0
// Whatever passes the URL policy must say the same when it is written down and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pipeline/net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using framelock::net::Url;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = Url::Parse(text);
  if (!url.ok()) return url.error().message.empty() ? (std::abort(), 0) : 0;
  const std::string written = url->ToString();
  if (written.size() > Url::kMaxBytes) return 0;
  const auto again = Url::Parse(written);
  if (!again.ok() || again->ToString() != written || again->host() != url->host() ||
      again->port() != url->port() || url->path().front() != '/') {
    std::abort();
  }
  if (url->Child("7").path().ends_with("//7")) std::abort();
  return 0;
}
