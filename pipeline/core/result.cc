// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/result.h"

#include <cerrno>
#include <system_error>

namespace framelock {

const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kClosed:
      return "closed";
    case ErrorCode::kResourceLimit:
      return "resource_limit";
    case ErrorCode::kProtocol:
      return "protocol";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Error ErrnoError(std::string what) {
  const int saved = errno;
  what += ": ";
  what += std::generic_category().message(saved);
  return Error{ErrorCode::kInternal, std::move(what)};
}

}  // namespace framelock
