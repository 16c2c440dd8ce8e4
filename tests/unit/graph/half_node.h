// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>

#include "workers/nodes/abi/framelock_node.h"

namespace framelock::nodes {

/// A class as a library would describe it: Half(image, amount: FLOAT 0 to 1, of: "black" or
/// "white", mask: optional) gives an IMAGE, times 0.5, and the amount.
inline int RunHalf(void*, const framelock_call* call) {
  const framelock_tensor& image = call->inputs[0].as.tensor;
  float* out = call->host->make_tensor(call, 0, image.shape);
  if (out == nullptr) {
    return 1;
  }
  const std::size_t rows = std::size_t{image.shape.batch} * image.shape.height;
  for (std::size_t i = 0; i < rows * image.shape.width * image.shape.channels; ++i) {
    out[i] = image.data[i] * 0.5F;
  }
  call->host->set_output(call, 1, &call->inputs[1]);
  return 0;
}

inline constexpr const char* kHalfEnds[] = {"black", "white"};
inline constexpr framelock_input kHalfInputs[] = {
    {.name = "image", .type = FRAMELOCK_IMAGE},
    {.name = "amount",
     .tooltip = "of light",
     .type = FRAMELOCK_FLOAT,
     .float_range = {.value = 0.5, .min = 0, .max = 1, .step = 0.25}},
    {.name = "of",
     .type = FRAMELOCK_COMBO,
     .text = "black",
     .options = kHalfEnds,
     .option_count = std::size(kHalfEnds)},
    {.name = "mask", .type = FRAMELOCK_MASK, .flags = FRAMELOCK_OPTIONAL}};
inline constexpr framelock_output kHalfOutputs[] = {{.name = nullptr, .type = FRAMELOCK_IMAGE},
                                                    {.name = "amount", .type = FRAMELOCK_FLOAT}};
inline constexpr framelock_class kHalf = {.size = sizeof(framelock_class),
                                          .class_type = "Half",
                                          .display_name = "Half as bright",
                                          .category = "test",
                                          .inputs = kHalfInputs,
                                          .input_count = std::size(kHalfInputs),
                                          .outputs = kHalfOutputs,
                                          .output_count = std::size(kHalfOutputs),
                                          .execute = RunHalf};

inline int AddHalf(const framelock_host* host, framelock_registry* registry) {
  return host->add_class(registry, &kHalf);
}

}  // namespace framelock::nodes
