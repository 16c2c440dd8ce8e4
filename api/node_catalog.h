// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::api {

/// The node classes that workers have, as a worker listed them once, in ComfyUI's /object_info
/// format: texts by name, never looked into. Owned by the daemon; loop thread only.
class NodeCatalog {
 public:
  /// What a worker printed, or why it did not. What is no object of objects is no list.
  void Take(Result<std::string> listing);

  [[nodiscard]] bool waiting() const { return !error_ && !all_; }
  /// Why there is no list and will be none; null: there is one, or it is waited for.
  [[nodiscard]] const std::string* error() const { return error_ ? &*error_ : nullptr; }
  /// All classes, as JSON text; null unless listed.
  [[nodiscard]] const std::string* all() const { return all_ ? &*all_ : nullptr; }
  /// {"name":{…}}, or {} if no worker knows the class.
  [[nodiscard]] std::string OneOf(const std::string& name) const;

 private:
  std::optional<std::string> error_;
  std::optional<std::string> all_;
  std::map<std::string, std::string> classes_;  // each its own object's text
};

}  // namespace framelock::api
