// SPDX-License-Identifier: Apache-2.0
// A good library: TestGain multiplies, TestBroken fails and says why.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workers/nodes/abi/framelock_node.h"

namespace {

int Multiply(void*, const framelock_call* call) {
  const framelock_tensor& image = call->inputs[0].as.tensor;
  const framelock_text& from = call->inputs[2].as.text;
  const bool from_one = std::string_view(from.data, from.size) == "one";
  const auto gain = static_cast<float>(call->inputs[1].as.number);
  float* out = call->host->make_tensor(call, 0, image.shape);
  if (out == nullptr) {
    return 1;
  }
  const auto& [batch, height, width, channels] = image.shape;
  for (std::size_t i = 0; i < std::size_t{batch} * height * width * channels; ++i) {
    out[i] = from_one ? 1.0F - (1.0F - image.data[i]) * gain : image.data[i] * gain;
  }
  return 0;
}

int Break(void*, const framelock_call* call) {
  call->host->set_error(call, "the fuse is gone");
  return 1;
}

constexpr const char* kEnds[] = {"zero", "one"};
constexpr framelock_input kInputs[] = {
    {.name = "image", .type = FRAMELOCK_IMAGE},
    {.name = "gain",
     .tooltip = "how much",
     .type = FRAMELOCK_FLOAT,
     .float_range = {.value = 1, .min = 0, .max = 4, .step = 0.25}},
    {.name = "from", .type = FRAMELOCK_COMBO, .text = "zero", .options = kEnds, .option_count = 2}};
constexpr framelock_output kOutputs[] = {{.name = nullptr, .type = FRAMELOCK_IMAGE}};

}  // namespace

int framelock_nodes_v1(const framelock_host* host, framelock_registry* registry) {
  const framelock_class gain{.size = sizeof(framelock_class),
                             .class_type = "TestGain",
                             .display_name = "Test Gain",
                             .category = "test",
                             .inputs = kInputs,
                             .input_count = 3,
                             .outputs = kOutputs,
                             .output_count = 1,
                             .execute = Multiply};
  framelock_class broken = gain;
  broken.class_type = "TestBroken";
  broken.input_count = 1;
  broken.execute = Break;
  return host->add_class(registry, &gain) + host->add_class(registry, &broken);
}
