// SPDX-License-Identifier: Apache-2.0
// The relay's reading of request lines, options and names.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trickle/relay/json_text.h"
#include "trickle/relay/quantity.h"
#include "trickle/relay/route.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace relay = framelock::relay;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view method = text.substr(0, text.find(' '));
  const std::string_view path = text.substr(std::min(method.size() + 1, text.size()));
  for (const char* base : {"/", "/x/"}) {
    const relay::Route route = relay::ParseRoute(method, path, base);
    if (route.channel.size() > relay::kMaxChannelName) std::abort();
    if (route.seq.seq > relay::kMaxSeq) std::abort();
    if (route.channel.find('\0') != std::string::npos) std::abort();
  }
  static_cast<void>(relay::ParseDoorPath(path));
  static_cast<void>(relay::QueryHas(path, "publish", "1"));
  static_cast<void>(relay::NormalizeBase(text));
  static_cast<void>(relay::ParseDuration(text));
  static_cast<void>(relay::ParseByteSize(text));
  const std::string literal = relay::JsonText(text);
  if (literal.size() < 2 || literal.find('\n') != std::string::npos) std::abort();
  return 0;
}
