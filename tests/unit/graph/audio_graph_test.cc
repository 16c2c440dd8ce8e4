// SPDX-License-Identifier: Apache-2.0
// Sound in graphs: when it runs, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/json.h"
#include "workers/graph/session.h"
#include "workers/nodes/builtin.h"
#include "workers/nodes/phase_vocoder.h"

namespace framelock::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Samples = std::vector<std::int16_t>;

constexpr std::uint32_t kRate = 48'000;

const std::string kLoad = R"("1":{"class_type":"LoadAudioTensor","inputs":{"buffer_size":100}})";
const std::string kVideo = R"("7":{"class_type":"LoadTensor","inputs":{}},
    "8":{"class_type":"ImageInvert","inputs":{"image":["7",0]}},
    "9":{"class_type":"SaveTensor","inputs":{"images":["8",0]}})";

std::string Save(const std::string& from) {
  return R"("3":{"class_type":"SaveAudioTensor","inputs":{"audio":[")" + from + R"(",0]}})";
}
std::string Shift(const std::string& semitones) {
  return R"("2":{"class_type":"PitchShifter","inputs":{"audio":["1",0],"pitch_shift":)" +
         semitones + "}}";
}

Samples Tone(double hertz, std::size_t count, double loud = 0.5) {
  Samples samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i] = static_cast<std::int16_t>(
        32'767 * loud * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kRate));
  }
  return samples;
}

// How loud the samples are at one frequency, 1 for a full sine; without the first and last tenth.
template <typename Sample>
double LoudnessAt(double hertz, const std::vector<Sample>& samples, double full) {
  double real = 0;
  double imaginary = 0;
  const std::size_t margin = samples.size() / 10;
  const std::size_t count = samples.size() - 2 * margin;
  for (std::size_t i = margin; i < margin + count; ++i) {
    const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(i) / kRate;
    real += static_cast<double>(samples[i]) / full * std::cos(angle);
    imaginary += static_cast<double>(samples[i]) / full * std::sin(angle);
  }
  return 2 * std::hypot(real, imaginary) / static_cast<double>(count);
}

class AudioGraphTest : public testing::Test {
 protected:
  std::string Refusal(const std::string& nodes) {
    const auto rejected = session_->Prepare("{" + nodes + "}");
    return rejected ? rejected->errors_json : "";
  }
  Samples Run(const Samples& samples) {
    const auto made = session_->RunAudio({.samples = samples, .sample_rate = kRate});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? Samples(made->begin(), made->end()) : Samples();
  }
  int Picture() {
    const std::vector<std::byte> grey(16, std::byte{100});
    const auto shape = session_->Run({.bytes = grey, .shape = {2, 2, 3}, .stride = 8});
    EXPECT_TRUE(shape.ok()) << shape.error().message;
    std::vector<std::byte> out(16);
    const Status written = session_->WriteOutput({.bytes = out, .channels = 3, .stride = 8});
    EXPECT_TRUE(written.ok()) << written.error().message;
    return std::to_integer<int>(out[0]);
  }

  NodeRegistry registry_ = std::move(*nodes::BuiltinNodes());
  std::unique_ptr<Session> session_ = std::move(*Session::Create(registry_));
};

TEST_F(AudioGraphTest, WhatPassesThroughIsRoundedAsTheOriginalDoes) {
  ASSERT_EQ(Refusal(kLoad + "," + Save("1")), "");
  EXPECT_EQ(session_->audio_length(), std::chrono::milliseconds(100));
  // Over 32768 on the way in, times 32767 on the way out, cut off.
  EXPECT_THAT(Run({0, 1, -1, 100, -100, 32767, -32768}),
              ElementsAre(0, 0, 0, 99, -99, 32766, -32767));
}

TEST_F(AudioGraphTest, PicturesPassBesideAGraphWithoutAny) {
  ASSERT_EQ(Refusal(kLoad + "," + Save("1")), "");
  EXPECT_EQ(*session_->Probe({2, 2, 3}), (Session::Shape{2, 2, 3}));
  EXPECT_EQ(Picture(), 100);
}

TEST_F(AudioGraphTest, PicturesAndSoundEachRunOnTheirOwn) {
  ASSERT_EQ(Refusal(kVideo + "," + kLoad + "," + Save("1")), "");
  EXPECT_EQ(Picture(), 155) << "before any sound";
  EXPECT_EQ(Run({1000, 2000}), (Samples{999, 1999}));
  EXPECT_EQ(Picture(), 155);
  EXPECT_EQ(Run({3000}), (Samples{2999}));
}

// The first one overshoots.
TEST_F(AudioGraphTest, LoudSoundMayBeShiftedTwice) {
  ASSERT_EQ(Refusal(kLoad + "," + Shift("4") + R"(,"4":{"class_type":"PitchShifter","inputs":{
      "audio":["2",0],"pitch_shift":3}},)" +
                    Save("4")),
            "");
  const Samples shifted = Run(Tone(440, 24'000, 0.99));
  EXPECT_GT(*std::max_element(shifted.begin(), shifted.end()), 20'000);
}

TEST_F(AudioGraphTest, AGraphWithoutSoundTakesNone) {
  ASSERT_EQ(Refusal(kVideo), "");
  EXPECT_EQ(session_->audio_length().count(), 0);
  EXPECT_THAT(Run({1, 2}), IsEmpty());
}

TEST_F(AudioGraphTest, SoundThatIsOnlyListenedToComesBackEmpty) {
  ASSERT_EQ(Refusal(kVideo + "," + kLoad + "," + Shift("4") +
                    R"(,"4":{"class_type":"SaveTextTensor","inputs":{"data":"heard"}})"),
            "");
  EXPECT_EQ(session_->audio_length().count(), 0) << "nobody needs it";
  EXPECT_THAT(session_->texts(), IsEmpty());
  Picture();
  EXPECT_THAT(session_->texts(), ElementsAre("heard"));
}

// Says how many samples a piece has.
class CountSamples final : public Node {
 public:
  Status Run(NodeCall& call) override {
    call.SetOutput(0, std::to_string(call.Sound(0).waveform.size()));
    return {};
  }
};

// A picture that is looked at again each time, and is gone at some point.
class FickleNode final : public Node {
 public:
  explicit FickleNode(const bool& gone) : gone_(gone) {}
  bool HasChanged(NodeCall&) override { return true; }
  Status Run(NodeCall& call) override {
    if (gone_) return Error{ErrorCode::kInternal, "it is gone"};
    Result<Tensor> output = call.pool().Allocate({1, 1, 1, 3});
    std::fill_n(output->mutable_data(), 3, 0.0F);
    call.SetOutput(0, *output);
    return {};
  }

 private:
  const bool& gone_;
};

TEST_F(AudioGraphTest, WhatOnlyPicturesNeedDoesNotHoldUpSound) {
  bool gone = false;
  ASSERT_TRUE(registry_
                  .Add({.spec = {.class_type = "TestFickle",
                                 .outputs = {{"IMAGE", "IMAGE"}},
                                 .freshness = Freshness::kWhenChanged},
                        .make = [&] { return std::make_unique<FickleNode>(gone); }})
                  .ok());
  ASSERT_EQ(Refusal(kLoad + "," + Save("1") + R"(,"8":{"class_type":"TestFickle","inputs":{}},
      "9":{"class_type":"SaveTensor","inputs":{"images":["8",0]}})"),
            "");
  EXPECT_EQ(Run({3000}), (Samples{2999}));
  gone = true;
  EXPECT_EQ(Run({3000}), (Samples{2999}));
}

TEST_F(AudioGraphTest, WhatIsSaidOfSoundWaitsToBeTaken) {
  ASSERT_TRUE(registry_
                  .Add({.spec = {.class_type = "TestCountSamples",
                                 .inputs = {AudioInput("audio")},
                                 .outputs = {{"STRING", "STRING"}}},
                        .make = [] { return std::make_unique<CountSamples>(); }})
                  .ok());
  ASSERT_EQ(Refusal(kVideo + "," + kLoad + R"(,
      "2":{"class_type":"TestCountSamples","inputs":{"audio":["1",0]}},
      "3":{"class_type":"SaveTextTensor","inputs":{"data":["2",0]}})"),
            "");
  EXPECT_EQ(session_->audio_length(), std::chrono::milliseconds(100));
  Picture();
  EXPECT_THAT(session_->TakeSoundTexts(), IsEmpty()) << "nothing was heard yet";
  EXPECT_THAT(Run({1, 2, 3}), IsEmpty());
  Run({1, 2});
  Picture();
  EXPECT_THAT(session_->texts(), IsEmpty());
  EXPECT_THAT(session_->TakeSoundTexts(), ElementsAre("3", "2"));
  EXPECT_THAT(session_->TakeSoundTexts(), IsEmpty());
}

TEST_F(AudioGraphTest, APieceHasAUsefulLength) {
  for (const char* length : {"9", "10001", "-1", "1e300"}) {
    EXPECT_THAT(
        Refusal(std::string(R"("1":{"class_type":"LoadAudioTensor","inputs":{"buffer_size":)") +
                length + "}}," + Save("1")),
        HasSubstr("buffer_size must be 10 to 10000"))
        << length;
  }
}

TEST_F(AudioGraphTest, ThereIsOneWayInAndOneOut) {
  const std::string second = R"("4":{"class_type":"LoadAudioTensor","inputs":{"buffer_size":100}})";
  EXPECT_THAT(Refusal(kLoad + "," + second + "," + Save("1")), HasSubstr("too many inputs"));
  EXPECT_THAT(Refusal(kLoad + "," + Save("1") +
                      R"(,"4":{"class_type":"SaveAudioTensor","inputs":{"audio":["1",0]}})"),
              HasSubstr("too many outputs"));
  EXPECT_THAT(Refusal(R"("1":{"class_type":"LoadTensor","inputs":{}},)" + Save("1")),
              HasSubstr("return_type_mismatch"));
}

TEST_F(AudioGraphTest, APitchIsShiftedByItsSemitones) {
  for (const auto& [semitones, hertz] : {std::pair{"12", 880.0},
                                         {"4", 440 * std::exp2(4.0 / 12)},
                                         {"0.5", 440 * std::exp2(0.5 / 12)}}) {
    ASSERT_EQ(Refusal(kLoad + "," + Shift(semitones) + "," + Save("2")), "");
    const Samples shifted = Run(Tone(440, 24'000));
    ASSERT_EQ(shifted.size(), 24'000U);
    // The first window is half empty, and its phases stay askew, as in the original.
    EXPECT_NEAR(LoudnessAt(hertz, shifted, 32'767), 0.5, 0.1) << semitones;
    EXPECT_LT(LoudnessAt(440, shifted, 32'767), 0.05) << semitones;
  }
  ASSERT_EQ(Refusal(kLoad + "," + Shift("0") + "," + Save("2")), "");
  EXPECT_EQ(Run({1000, -1000}), (Samples{999, -999}));
}

TEST_F(AudioGraphTest, PiecesOfAnyLengthAreShifted) {
  ASSERT_EQ(Refusal(kLoad + "," + Shift("7") + "," + Save("2")), "");
  for (const std::size_t count : {1U, 2U, 511U, 512U, 2047U, 2049U, 4801U}) {
    EXPECT_EQ(Run(Tone(440, count)).size(), count);
  }
}

TEST(PhaseVocoder, WhatIsAboveTheBandIsLeftOut) {
  nodes::PhaseVocoder vocoder;
  std::vector<float> samples(24'000);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * 15'000 * static_cast<double>(i) / kRate));
  }
  vocoder.ShiftPitch(samples, 12);  // 30 kHz would fold to 18
  double loudest = 0;
  for (std::size_t i = 2400; i < 21'600; ++i) {
    loudest = std::max(loudest, std::abs(static_cast<double>(samples[i])));
  }
  EXPECT_LT(loudest, 0.01);
}

}  // namespace
}  // namespace framelock::graph
