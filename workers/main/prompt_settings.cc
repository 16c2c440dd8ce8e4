// SPDX-License-Identifier: Apache-2.0
#include "workers/main/prompt_settings.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace framelock::worker {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kPreviews = {"none", "auto", "latent2rgb", "taesd"};

Error Bad(const std::string& what) { return Error{ErrorCode::kInvalidArgument, what}; }

const json* Find(const json& settings, const char* name) {
  const auto found = settings.find(name);
  return found == settings.end() || found->is_null() ? nullptr : &*found;
}

Status CheckRest(const json& settings) {
  for (const char* name : {"gpu_only", "disable_cuda_malloc"}) {
    const json* value = Find(settings, name);
    if (value != nullptr && !value->is_boolean()) return Bad(std::string(name) + " is no boolean");
  }
  const json* preview = Find(settings, "preview_method");
  if (preview == nullptr) return {};
  const auto* word = preview->get_ptr<const std::string*>();
  if (word == nullptr || std::find(kPreviews.begin(), kPreviews.end(), *word) == kPreviews.end()) {
    return Bad("preview_method is none of none, auto, latent2rgb and taesd");
  }
  return {};
}

}  // namespace

Result<PromptSettings> PromptSettings::Read(std::string_view text) {
  const json settings = json::parse(text, nullptr, false);
  if (!settings.is_object()) return Bad("the settings are no JSON object");
  if (Status rest = CheckRest(settings); !rest) return rest.error();
  PromptSettings read;
  const json* cwd = Find(settings, "cwd");
  if (cwd == nullptr) return read;
  const auto* path = cwd->get_ptr<const std::string*>();
  if (path == nullptr || !path->starts_with('/') || path->find('\0') != std::string::npos) {
    return Bad("cwd is no absolute path");
  }
  read.cwd = *path;
  return read;
}

}  // namespace framelock::worker
