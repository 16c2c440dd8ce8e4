// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/result.h"
#include "workers/graph/prompt.h"

namespace framelock::graph {

/// Makes a prompt that was written for single pictures one for a stream: the input node becomes
/// LoadTensor, the output node SaveTensor; ids and links stay. Live prompts need exactly one output
/// and one input (or a PrimaryInputLoadImage among several); the error texts are comfystream's.
/// Leaves the prompt as it was when it fails.
Status ConvertPrompt(Prompt& prompt);

}  // namespace framelock::graph
