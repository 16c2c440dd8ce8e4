// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

namespace framelock::stream {

/// Whether a muxer that begins anew may be taken for one like those before it: where a publisher
/// starts one for each segment, the trust that each of the last ones has earned need not be earned
/// once more. Not thread-safe.
class SeamTrust {
 public:
  /// At a seam, whether the muxer before it earned the trust. True: the one behind it has it.
  bool Keep(bool earned) {
    earned_ = earned ? std::min(earned_ + 1, kSeams) : 0;
    return earned_ >= kSeams;
  }
  void Forget() { earned_ = 0; }

 private:
  static constexpr int kSeams = 2;
  int earned_ = 0;  // in a row
};

}  // namespace framelock::stream
