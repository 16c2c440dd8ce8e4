// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace framelock::host {

/// LoadTensor -> ImageInvert -> SaveTensor: what a stream runs when nobody names a prompt.
inline constexpr char kDefaultPrompt[] =
    R"({"1":{"class_type":"LoadTensor","inputs":{},"_meta":{"title":"LoadTensor"}},)"
    R"("2":{"class_type":"ImageInvert","inputs":{"image":["1",0]},"_meta":{"title":"ImageInvert"}},)"
    R"("3":{"class_type":"SaveTensor","inputs":{"images":["2",0]},"_meta":{"title":"SaveTensor"}}})";

}  // namespace framelock::host
