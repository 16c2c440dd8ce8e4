// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace framelock::plugins {

/// Each worker counts its prompt's revisions on its own. In the line they are numbered on, so that
/// a result's number tells whether it is older, whichever worker made it. Plain logic.
class LineRevisions {
 public:
  /// The line's number of a revision of the worker at hand.
  std::uint64_t Number(std::uint64_t worker_revision) {
    const std::uint64_t number = base_ + worker_revision;
    newest_ = std::max(newest_, number);
    return number;
  }
  /// The revisions to come are another worker's, and newer than all before.
  void ChangeWorker() { base_ = newest_; }

 private:
  std::uint64_t base_ = 0;
  std::uint64_t newest_ = 0;
};

}  // namespace framelock::plugins
