// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "pipeline/core/result.h"

namespace framelock {

struct LogOptions {
  std::string program;         // first field of every line, e.g. "framelockd"
  std::string level = "info";  // trace, debug, info, warn, error, off
  bool json = false;           // one JSON object a line instead of text
};

/// Points spdlog's default logger at stderr (stdout belongs to results), one line an event, at most
/// kMaxLogLineBytes each. Call once, first thing in main. Fields are written stream= seq= worker=
/// revision=. Elements inside a GStreamer process log through GST_* instead.
Status InitLog(const LogOptions& options);

inline constexpr std::size_t kMaxLogLineBytes = 4096;

}  // namespace framelock
