// SPDX-License-Identifier: Apache-2.0
// Every second row or column darker, as on an old screen.
#include <string.h>

#include "framelock_node.h"

enum { kImage, kStrength, kDirection };

static int Execute(void* state, const framelock_call* call) {
  (void)state;
  const framelock_tensor* image = &call->inputs[kImage].as.tensor;
  const float dark = 1.0F - (float)call->inputs[kStrength].as.number;
  const int columns = strcmp(call->inputs[kDirection].as.text.data, "columns") == 0;
  float* out = call->host->make_tensor(call, 0, image->shape);
  if (out == NULL) {
    return 1;  // the worker knows why
  }
  const float* in = image->data;
  const size_t width = image->shape.width, channels = image->shape.channels;
  const size_t rows = (size_t)image->shape.batch * image->shape.height;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t x = 0; x < width; ++x) {
      const size_t line = columns ? x : row % image->shape.height;
      const float factor = line % 2 == 0 ? 1.0F : dark;
      for (size_t c = 0; c < channels; ++c) {
        *out++ = *in++ * factor;
      }
    }
  }
  return 0;
}

int framelock_nodes_v1(const framelock_host* host, framelock_registry* registry) {
  static const char* const kDirections[] = {"rows", "columns"};
  static const framelock_input kInputs[] = {
      {.name = "image", .type = FRAMELOCK_IMAGE},
      {.name = "strength",
       .tooltip = "0: as it was; 1: black lines",
       .type = FRAMELOCK_FLOAT,
       .float_range = {.value = 0.5, .min = 0.0, .max = 1.0, .step = 0.05}},
      {.name = "direction",
       .type = FRAMELOCK_COMBO,
       .text = "rows",
       .options = kDirections,
       .option_count = 2},
  };
  static const framelock_output kOutputs[] = {{.type = FRAMELOCK_IMAGE}};
  static const framelock_class kClass = {.size = sizeof(framelock_class),
                                         .class_type = "Scanlines",
                                         .category = "image/effects",
                                         .inputs = kInputs,
                                         .input_count = 3,
                                         .outputs = kOutputs,
                                         .output_count = 1,
                                         .execute = Execute};
  return host->add_class(registry, &kClass);
}
