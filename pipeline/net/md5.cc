// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/md5.h"

#include <array>
#include <boost/uuid/detail/md5.hpp>
#include <cstdio>

namespace framelock::net {

std::string Md5Hex(std::string_view text) {
  boost::uuids::detail::md5 md5;
  md5.process_bytes(text.data(), text.size());
  boost::uuids::detail::md5::digest_type digest;
  md5.get_digest(digest);
  std::string hex;
  for (const unsigned int word : digest) {
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", word);
    hex += digits.data();
  }
  return hex;
}

}  // namespace framelock::net
