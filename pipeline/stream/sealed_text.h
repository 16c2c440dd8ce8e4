// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock::stream {

/// A text in a sealed memfd, for what is too long for one packet (a prompt, a configuration).
Result<UniqueFd> SealText(std::string_view text);

/// Reads a descriptor to its end: a memfd or file from its beginning, a pipe as it comes (blocks
/// until the writer closes). kResourceLimit beyond `max_bytes`.
Result<std::string> ReadText(int fd, std::size_t max_bytes);

}  // namespace framelock::stream
