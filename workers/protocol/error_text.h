// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "pipeline/core/result.h"
#include "workers/protocol/messages.h"

namespace framelock::protocol {

/// Writes a text into a message's error: cut between two characters, zero-terminated, with '?' for
/// whatever is not UTF-8 or not printable.
void StoreErrorText(std::string_view text, ErrorText& error);

/// Makes the text of a received message fit for logs and JSON in the same way. kProtocol if it is
/// not zero-terminated.
Status CheckErrorText(ErrorText& error);

}  // namespace framelock::protocol
