// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/audio_input.h"
#include "pipeline/stream/codec_element.h"
#include "pipeline/stream/decode_account.h"
#include "pipeline/stream/demux_entry.h"
#include "pipeline/stream/frame_rate_cap.h"
#include "pipeline/stream/key_gate.h"
#include "pipeline/stream/latency_trace.h"
#include "pipeline/stream/picture_size.h"
#include "pipeline/stream/unit_times.h"

namespace framelock::stream {

/// From a channel to pictures: source, demuxer, and a decoding branch that is built when the
/// demuxer shows a video stream and rebuilt when the programme changes. Its elements belong to the
/// pipeline; destroy this only after the pipeline has stopped. Create, counts and Verdict: the
/// owner's thread; the rest runs on the source's, and the channel's queue pushes back when we are
/// slow.
class MediaInput {
 public:
  struct Options {
    std::string url;
    std::chrono::seconds give_up_after{60};  // without a channel or contact; zero: never
    std::optional<int> max_framerate;
    Hardware hardware = Hardware::kNever;
    std::int64_t max_pixels = 4096 * 2304;  // of a picture; a larger one is the end of the input
    // The first picture must come within so much time and so many bytes of input.
    std::chrono::milliseconds detect_time{10'000};
    std::uint64_t detect_bytes = 32u << 20;
    // Access units in a row without a picture before the input counts as broken; zero: never.
    std::uint64_t max_decode_errors = 0;
    const Clock* clock = &Clock::System();  // tells a pause from a jump
    AudioLine* audio = nullptr;             // where the audio goes; without one it is left out
    GstElement* filter = nullptr;           // the workerfilter
    LatencyTrace* trace = nullptr;          // borrowed; none: nothing is traced
  };

  struct Counts {
    std::uint64_t bytes = 0;
    std::uint64_t pictures = 0;
    std::uint64_t decode_errors = 0;
    std::uint64_t decode_errors_in_a_row = 0;
    std::uint64_t rate_dropped = 0;  // by max_framerate
    std::uint64_t inferred_pts = 0;  // of pictures without one, where it was certain
    std::uint64_t undated = 0;       // pictures dropped: no certain pts, or not behind the last
    std::uint64_t epochs = 1;        // of the input's clock
    std::uint64_t withheld = 0;      // access units behind a hole, not to be shown
    std::optional<SteadyTime> first_byte, last_picture;
  };

  /// Adds its elements to `pipeline`; pictures go into `next`'s sink pad.
  static Result<std::unique_ptr<MediaInput>> Create(const Options& options, GstBin* pipeline,
                                                    GstElement* next);
  ~MediaInput();
  MediaInput(const MediaInput&) = delete;
  MediaInput& operator=(const MediaInput&) = delete;

  [[nodiscard]] Counts counts() const;
  /// Source's own figures and counts(), for the status.
  [[nodiscard]] nlohmann::json Stats() const;
  /// Why this input will never work, once that is certain.
  [[nodiscard]] std::optional<Error> Verdict(SteadyTime now) const;
  /// True if the error message in hand only says that no video was found.
  [[nodiscard]] bool ExplainsNoVideo(GstMessage* error) const;

  /// Which way the audio goes from now on. Any thread.
  void RouteAudio(AudioInput::Way way) { way_ = way; }
  /// Ends the input; end of stream goes through everything. Never blocks for long.
  void End();

 private:
  MediaInput(const Options& options, GstBin* pipeline, GstElement* next);

  Status Build();
  static void OnPadAdded(GstElement* demux, GstPad* pad, gpointer self);
  static void OnPadRemoved(GstElement* demux, GstPad* pad, gpointer self);
  static GstPadProbeReturn OnBytes(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn OnAccessUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn OnParsed(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn OnPicture(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  bool PassGate(GstBuffer* unit);
  void AddVideo(GstPad* pad);
  void Watch(GstElement* branch);
  void AddOther(GstPad* pad);
  void NoteTime(GstPad* pad, std::chrono::nanoseconds pts);
  void StartAudio(GstPad* pad);
  void StopAudio();
  void FollowAudio(std::optional<std::uint16_t> lane);
  void FollowWay();
  void Ignore(GstPad* pad);
  void StopIgnoring(GstPad* pad);
  void DropBranch();
  void EndOutput();
  bool KeepPicture(std::chrono::nanoseconds pts);
  void TraceUnit(GstPad* pad, const GstBuffer* unit) const;
  void CountTime(UnitTimes::Time time);
  void CheckSize(GstEvent* event);
  void CheckSize(PictureSize size, std::int64_t pixels);
  const Options options_;
  GstBin* const pipeline_;
  GstElement* const next_;
  GstElement* source_ = nullptr;  // the pipeline's, like all elements here
  GstElement* demux_ = nullptr;

  // The source's streaming thread only.
  KeyGate gate_;
  DemuxEntry entry_;
  bool refused_ = false;  // for the pictures' size
  UnitTimes times_;
  GstElement* branch_ = nullptr;
  GstPad* branch_pad_ = nullptr;            // the demuxer's pad that feeds it; compared, never used
  std::map<GstPad*, GstElement*> ignored_;  // the sinks of what is no picture
  VideoTime video_time_;
  std::optional<AudioInput> audio_;
  std::optional<AudioInput::Way> audio_way_;  // that it goes; unset: none yet
  std::optional<std::uint16_t> lane_;         // the audio's PID at the demuxer
  GstPad* spare_pad_ = nullptr;  // a further video stream, taken when the first one goes

  std::optional<std::chrono::nanoseconds> last_pts_;                 // of a picture
  std::chrono::nanoseconds interval_{std::chrono::milliseconds(1)};  // between pictures
  std::atomic<std::optional<AudioInput::Way>> way_{};  // it is to go; unset: nobody has told
  std::atomic<bool> has_video_{false};                 // or had
  std::atomic<bool> linked_{false};                    // has it now
  std::atomic<bool> source_ended_{false};
  std::atomic<bool> cut_off_{false};  // the end came on our request, in the middle of something
  mutable std::mutex mutex_;          // what follows
  Counts counts_;
  std::string decoder_;  // its element's name
  DecodeAccount decoded_;
  std::optional<FrameRateCap> cap_;
};

}  // namespace framelock::stream
