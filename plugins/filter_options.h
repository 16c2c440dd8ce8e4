// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "plugins/audio_pieces.h"
#include "plugins/frame_line.h"
#include "plugins/line_frame.h"
#include "workers/host/worker_seat.h"

namespace framelock::plugins {

/// What one run of a workerfilter is made with.
struct FilterOptions {
  FrameLine::Options line;
  std::size_t upstream_margin = 3;    // input slots beyond those in flight and waiting
  std::size_t downstream_margin = 4;  // output slots beyond those in flight and repeated
  std::chrono::milliseconds prompt_timeout{10'000};
  std::chrono::milliseconds publish_wait{250};  // for finished frames of an older prompt to leave
  std::chrono::milliseconds switch_wait{500};   // for frames of the worker that is switched from
  std::chrono::milliseconds format_wait{200};   // for frames of the format before (kDropOldest)
  std::size_t max_events = 64;                  // in the line; then upstream waits
  AudioPieces::Options audio;
  std::size_t max_text_bytes = 16'384;  // of one text of a frame; longer ones are dropped
  std::string prompt;                   // for workers that bring none
  host::WorkerSeat::Options worker;
  /// Copies a source frame into a slot with a slot's row size; false: its memory cannot be read.
  bool (*copy_source)(void* source, const InputFormat& format, std::span<std::byte> slot);
};

}  // namespace framelock::plugins
