// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock {

/// A text in a memfd that nobody can change, for what is too long for one packet (a prompt, a
/// configuration). The caller bounds it.
Result<UniqueFd> SealText(std::string_view text);

/// True if the descriptor is a memfd that its maker can no longer change.
bool IsSealed(int fd);

/// Reads a descriptor to its end: a memfd or file from its beginning, a pipe as it comes (blocks
/// until the writer closes). kResourceLimit beyond `max_bytes`.
Result<std::string> ReadText(int fd, std::size_t max_bytes);

}  // namespace framelock
