// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace framelock::plugins {

/// What set-prompt and switch-worker are answered.
struct PromptAnswer {
  // kUntaken: in force, but downstream may still get a frame of before.
  enum class Kind : std::uint8_t { kApplied, kUntaken, kRejected, kTimeout, kStopped } kind;
  std::uint64_t revision = 0;
  std::string errors;  // JSON, or what is wrong with another worker; empty if applied
};

// The errors of those answers that no worker gave.
inline constexpr char kStoppedErrors[] =
    R"({"error":{"type":"stopped","message":"The stream is not running","details":"",)"
    R"("extra_info":{}},"node_errors":{}})";
inline constexpr char kTimeoutErrors[] =
    R"({"error":{"type":"timeout","message":"The worker did not answer in time",)"
    R"("details":"","extra_info":{}},"node_errors":{}})";
inline constexpr char kUntakenErrors[] =
    R"({"error":{"type":"timeout","message":"The new prompt runs, but downstream did not take )"
    R"(the last frame of the old one in time","details":"","extra_info":{}},"node_errors":{}})";
inline constexpr char kLostErrors[] =
    R"({"error":{"type":"worker_lost","message":"The worker ended while it checked the prompt",)"
    R"("details":"","extra_info":{}},"node_errors":{}})";

/// The errors of an update that makes no sense; `reason` has no character that JSON would escape.
inline std::string InvalidUpdateErrors(const std::string& reason) {
  return R"({"error":{"type":"invalid_update","message":")" + reason +
         R"(","details":"","extra_info":{}},"node_errors":{}})";
}

}  // namespace framelock::plugins
