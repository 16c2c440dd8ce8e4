// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "pipeline/core/result.h"
#include "workers/protocol/messages.h"

namespace framelock::protocol {

/// Writes a text into Completed::error: cut between two characters, zero-terminated, with '?' for
/// whatever is not UTF-8 or not printable.
void StoreErrorText(std::string_view text, Completed& message);

/// Makes the text of a received message fit for logs and JSON in the same way. kProtocol if it is
/// not zero-terminated.
Status CheckErrorText(Completed& message);

}  // namespace framelock::protocol
