// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/convert_prompt.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace framelock::graph {

namespace {

bool IsAny(const PromptNode& node, std::initializer_list<std::string_view> classes) {
  return std::ranges::any_of(classes, [&](std::string_view name) { return node.Is(name); });
}

Error Refused(const char* text) { return {ErrorCode::kInvalidArgument, text}; }

void Become(PromptNode& node, const char* class_type) {
  node.class_type = class_type;
  node.title = class_type;
}

}  // namespace

Status ConvertPrompt(Prompt& prompt) {
  std::size_t primary = 0;
  std::size_t pictures_in = 0;
  std::size_t audio_in = 0;
  std::size_t pictures_out = 0;
  std::size_t audio_out = 0;
  std::size_t text_out = 0;
  for (const PromptNode& node : prompt.nodes()) {
    primary += node.Is("PrimaryInputLoadImage") ? 1 : 0;
    pictures_in += IsAny(node, {"LoadImage", "LoadTensor"}) ? 1 : 0;
    audio_in += node.Is("LoadAudioTensor") ? 1 : 0;
    pictures_out += IsAny(node, {"PreviewImage", "SaveImage", "SaveTensor"}) ? 1 : 0;
    audio_out += node.Is("SaveAudioTensor") ? 1 : 0;
    text_out += node.Is("SaveTextTensor") ? 1 : 0;
  }
  if (primary > 1) {
    return Refused("too many primary inputs in prompt");
  }
  if ((primary == 0 && pictures_in > 1) || audio_in > 1) {
    return Refused("too many inputs in prompt");
  }
  if (pictures_out > 1 || audio_out > 1) {
    return Refused("too many outputs in prompt");
  }
  if (primary + pictures_in + audio_in == 0) {
    return Refused("missing input");
  }
  if (pictures_out + audio_out + text_out == 0) {
    return Refused("missing output");
  }
  const char* source = primary == 1 ? "PrimaryInputLoadImage" : "LoadImage";
  for (PromptNode& node : prompt.nodes()) {
    if (node.Is(source)) {
      Become(node, "LoadTensor");
      node.inputs.emplace();
    } else if (IsAny(node, {"PreviewImage", "SaveImage"})) {
      Become(node, "SaveTensor");
      // Of its own inputs, such as filename_prefix, it has no more use.
      if (node.inputs) {
        std::erase_if(*node.inputs, [](const auto& input) { return input.name != "images"; });
      }
    }
  }
  return {};
}

}  // namespace framelock::graph
