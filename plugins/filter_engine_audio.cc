// SPDX-License-Identifier: Apache-2.0
// The audio's half of FilterEngine.
#include <utility>

#include "plugins/filter_engine.h"

namespace framelock::plugins {

FilterEngine::Flow FilterEngine::EnterAudio(
    const std::function<void(AudioPieces& audio, SteadyTime now)>& enter) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return Flow::kFlushing;
  enter(audio_, Now());
  SubmitAudio();
  if (audio_.NextDeadline()) wake_->Notify();
  return Flow::kOk;
}

// A worker tells it with its prompt and with its region; until then it is given none.
void FilterEngine::TakeAudioLength(std::uint32_t audio_ms) {
  const std::chrono::milliseconds length(audio_ms);
  const bool told = std::exchange(audio_told_, true);
  audio_.SetReady(prompt_.running());
  if (told && length == audio_.length()) return;
  audio_.SetLength(length, Now());
  notices_.emplace_back(AudioLength{length});
}

void FilterEngine::SubmitAudio() {
  if (standby_ && standby_->draining()) return;  // for the worker that takes over
  while (const AudioPieces::Piece* piece = audio_.NextToSubmit(Now())) {
    // Else it waits for the next worker, or for the answer to one that left without it.
    if (!seat_->SubmitAudio(piece->sequence, piece->sample_rate, piece->samples)) return;
    audio_.Submitted(Now());
  }
}

}  // namespace framelock::plugins
