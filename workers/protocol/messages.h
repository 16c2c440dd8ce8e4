// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "workers/protocol/host_messages.h"
#include "workers/protocol/worker_messages.h"

namespace framelock::protocol {

static_assert(sizeof(Hello) == 16 && sizeof(Stop) == 8);
static_assert(sizeof(AddHost) == 8 && sizeof(HostAdded) == 8);
static_assert(sizeof(Configure) == 16);
static_assert(sizeof(SetPrompt) == 24 && sizeof(Attach) == 64 && sizeof(Submit) == 32);
static_assert(sizeof(Welcome) == 24 && sizeof(PromptApplied) == 24);
static_assert(sizeof(PromptRejected) == 24 && sizeof(Attached) == 24);
static_assert(sizeof(Completed) == 256 && sizeof(FrameText) == 24);
static_assert(sizeof(SubmitAudio) == 24 && sizeof(AudioCompleted) == 240);
static_assert(std::is_trivially_copyable_v<Completed> && std::is_trivially_copyable_v<Attach>);

}  // namespace framelock::protocol
