// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace framelock::relay {

/// A bound on the bytes that all segments of a relay hold together. Loop thread only.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t limit) : limit_(limit) {}

  /// False, and nothing taken, if the bound would be passed.
  [[nodiscard]] bool Take(std::size_t size) {
    if (size > limit_ - used_) return false;
    used_ += size;
    return true;
  }
  void Return(std::size_t size) { used_ -= size; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  const std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace framelock::relay
