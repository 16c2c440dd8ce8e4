// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "workers/nodes/node_list.h"
#include "workers/nodes/phase_vocoder.h"

namespace framelock::nodes {

namespace {

// librosa.effects.pitch_shift: each piece by itself, stretched and then played faster.
class PitchShifterNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Audio& audio = call.Sound(0);
    const double semitones = call.Float(1);
    if (!(semitones >= -12 && semitones <= 12)) {
      return Error{ErrorCode::kInvalidArgument, "pitch_shift must be -12 to 12"};
    }
    const graph::TensorShape& shape = audio.waveform.shape();
    if (shape.batch != 1 || shape.height != 1) {
      return Error{ErrorCode::kInvalidArgument, "only mono audio can be shifted"};
    }
    Result<graph::Tensor> shifted = call.pool().Allocate(shape);
    if (!shifted.ok()) {
      return shifted.error();
    }
    const std::span<const float> in = audio.waveform.values();
    const std::span<float> out(shifted->mutable_data(), shifted->size());
    // Beyond 1 the original takes them for 16-bit numbers.
    const bool large =
        std::any_of(in.begin(), in.end(), [](float sample) { return std::abs(sample) > 1.0F; });
    const float scale = large ? 1.0F / 32768.0F : 1.0F;
    std::transform(in.begin(), in.end(), out.begin(), [&](float sample) { return sample * scale; });
    if (semitones != 0) {
      vocoder_.ShiftPitch(out, semitones);
      // It overshoots, and whoever comes behind would take that for 16-bit numbers.
      std::transform(out.begin(), out.end(), out.begin(),
                     [](float sample) { return std::clamp(sample, -1.0F, 1.0F); });
    }
    call.SetOutput(0, graph::Audio{std::move(*shifted), audio.sample_rate});
    return {};
  }

 private:
  PhaseVocoder vocoder_;
};

}  // namespace

graph::NodeClass PitchShifter() {
  return {
      .spec = {.class_type = "PitchShifter",
               .display_name = "PitchShifter",
               .category = "audio_utils",
               .python_module = "custom_nodes.comfystream",
               .inputs = {graph::AudioInput("audio"),
                          graph::FloatInput("pitch_shift",
                                            {.value = 4.0, .min = 0.0, .max = 12.0, .step = 0.5})},
               .outputs = {{"AUDIO", "AUDIO"}},
               .freshness = graph::Freshness::kEveryFrame},
      .make = [] { return std::make_unique<PitchShifterNode>(); }};
}

}  // namespace framelock::nodes
