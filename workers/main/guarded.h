// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>

#include "pipeline/core/result.h"

namespace framelock::worker {

/// Calls what may run nodes, and so code that others write: whatever it throws ends here, as an
/// error. `function` returns a Result or a Status.
template <typename Function>
auto Guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResourceLimit, "out of memory"};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, error.what()};
  } catch (...) {
    return Error{ErrorCode::kInternal, "unknown exception"};
  }
}

}  // namespace framelock::worker
