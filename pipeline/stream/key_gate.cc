// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/key_gate.h"

namespace framelock::stream {

KeyGate::Verdict KeyGate::Pass(const H264Entry& entry, std::optional<Pts> pts, Before before) {
  if (before == Before::kHole) {
    open_ = false;
    between_ = 0;
  }
  if (between_ > 0) {
    --between_;
    open_ = false;
    return Verdict::kDrop;
  }
  if (entry.damaged) {
    open_ = false;
    return Verdict::kDrop;
  }
  if (entry.kind == H264Entry::Kind::kIdr) {
    open_ = true;
    hidden_ = 0;
    entry_pts_.reset();
  } else if (!open_ && !Enter(entry, pts)) {
    return Verdict::kDrop;
  }
  fresh_ = false;
  intra_ = 0;
  if (entry_pts_ && pts && *pts != *entry_pts_) {
    if (*pts < *entry_pts_) return Verdict::kDrop;
    entry_pts_.reset();  // what is shown before the entry comes right behind it
  }
  if (hidden_ == 0) return Verdict::kPass;
  --hidden_;
  return Verdict::kHide;
}

bool KeyGate::Enter(const H264Entry& entry, std::optional<Pts> pts) {
  switch (entry.kind) {
    case H264Entry::Kind::kRecovery:
      open_ = true;
      break;
    case H264Entry::Kind::kIntra:
      ++intra_;
      open_ = fresh_ || intra_ >= kIntraEntry;
      break;
    default:
      break;
  }
  if (!open_) return false;
  hidden_ = entry.recovery_frames;
  entry_pts_ = pts;
  return true;
}

}  // namespace framelock::stream
