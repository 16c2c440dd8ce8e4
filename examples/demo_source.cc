// SPDX-License-Identifier: Apache-2.0
// framelock-demo-source: publishes a live test picture with a clock and stamped frame numbers.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "examples/channel_elements.h"
#include "examples/frame_stamp.h"
#include "examples/signal_wait.h"
#include "examples/test_picture.h"

namespace framelock::demo {
namespace {

using std::chrono::nanoseconds;

struct Options {
  std::string publish;
  int width = 512;
  int height = 512;
  int fps = 30;
  int gop_seconds = 1;
  int bitrate_kbps = 2000;
  std::string codec = "h264";
  std::uint32_t start_number = 0;
  int hue_degrees = 0;
  std::optional<double> seconds;
  std::optional<std::uint64_t> frames;
  bool stamp_in_middle = false;
  bool unpaced = false;
};

// Half a 90 kHz tick: the muxer rounds down, so that each pts lands on its nearest tick.
constexpr nanoseconds kHalfTick{5556};
// What the encoder may lag behind before the source drops pictures.
constexpr std::uint64_t kMaxQueued = 8;

std::string EncoderChain(const Options& options) {
  const std::string key_interval = std::to_string(options.fps * options.gop_seconds);
  const std::string kbps = std::to_string(options.bitrate_kbps);
  if (options.codec == "h265") {
    return "videoconvert ! video/x-raw,format=I420 ! x265enc tune=zerolatency "
           "speed-preset=ultrafast key-int-max=" +
           key_interval + " bitrate=" + kbps + " ! h265parse config-interval=-1 ! mpegtsmux";
  }
  return "videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency "
         "speed-preset=superfast threads=1 bframes=0 key-int-max=" +
         key_interval + " bitrate=" + kbps +
         " option-string=scenecut=0 ! h264parse config-interval=-1 ! mpegtsmux";
}

class DemoSource {
 public:
  static Result<std::unique_ptr<DemoSource>> Create(const Options& options);
  ~DemoSource() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }
  DemoSource(const DemoSource&) = delete;
  DemoSource& operator=(const DemoSource&) = delete;

  /// Publishes until a signal, the wanted number of frames, or an error.
  Status Run(SignalWait& signals);

 private:
  explicit DemoSource(const Options& options)
      : options_(options), pipeline_(gst_pipeline_new("demo-source")) {}

  Status Build();
  void Push(std::uint64_t index);
  [[nodiscard]] std::uint64_t SkipMissed(std::uint64_t index, SteadyTime start) const;
  void Report(SteadyTime now, bool last);
  Status Finish();
  [[nodiscard]] nanoseconds TimeOf(std::uint64_t number) const {
    return nanoseconds(
        static_cast<std::int64_t>(number * 1'000'000'000ULL / static_cast<unsigned>(options_.fps)));
  }

  const Options options_;
  GstElement* pipeline_;
  GstAppSrc* source_ = nullptr;  // the pipeline's
  std::uint64_t frames_ = 0;
  SteadyTime next_report_{};
};

Result<std::unique_ptr<DemoSource>> DemoSource::Create(const Options& options) {
  std::unique_ptr<DemoSource> source(new DemoSource(options));
  if (const Status built = source->Build(); !built) return built.error();
  return source;
}

Status DemoSource::Build() {
  Result<GstElement*> sink = MakeChannelSink(options_.publish);
  if (!sink) return sink.error();
  gst_bin_add(GST_BIN(pipeline_), *sink);
  Result<GstElement*> encode = MakeChain(EncoderChain(options_));
  if (!encode) return encode.error();
  GstElement* source = gst_element_factory_make("appsrc", nullptr);
  if (source == nullptr) return Error{ErrorCode::kNotFound, "no GStreamer element appsrc"};
  gst_bin_add_many(GST_BIN(pipeline_), source, *encode, nullptr);
  source_ = GST_APP_SRC(source);
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "RGB", "width",
                                      G_TYPE_INT, options_.width, "height", G_TYPE_INT,
                                      options_.height, "framerate", GST_TYPE_FRACTION, options_.fps,
                                      1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
  g_object_set(source, "caps", caps, "format", GST_FORMAT_TIME, "is-live", TRUE, "max-buffers",
               guint64{kMaxQueued}, "max-bytes", guint64{0}, nullptr);
  if (options_.unpaced) {
    g_object_set(source, "block", TRUE, nullptr);
  } else {
    g_object_set(source, "leaky-type", 2 /* downstream: the oldest give way */, nullptr);
  }
  gst_caps_unref(caps);
  if (gst_element_link_many(source, *encode, *sink, nullptr) == 0) {
    return Error{ErrorCode::kInternal, "the source's elements do not link"};
  }
  return {};
}

void DemoSource::Push(std::uint64_t index) {
  const std::uint64_t number = options_.start_number + index;
  const std::size_t stride = (static_cast<std::size_t>(options_.width) * 3 + 3) & ~std::size_t{3};
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, stride * static_cast<std::size_t>(options_.height), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  const PictureView picture{.pixels = map.data,
                            .width = options_.width,
                            .height = options_.height,
                            .stride = stride,
                            .channels = 3};
  DrawTestPicture(picture,
                  {.number = static_cast<std::uint32_t>(number),
                   .clock = std::chrono::duration_cast<std::chrono::milliseconds>(TimeOf(number)),
                   .hue_degrees = options_.hue_degrees});
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  DrawStamp(options_.stamp_in_middle ? MiddleOf(picture, options_.width, options_.height) : picture,
            {.number = static_cast<std::uint32_t>(number),
             .sent_at = std::chrono::duration_cast<std::chrono::microseconds>(now)});
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>((TimeOf(number) + kHalfTick).count());
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(TimeOf(1).count());
  gst_app_src_push_buffer(source_, buffer);
  ++frames_;
}

// A camera that stood still has no pictures of that time.
std::uint64_t DemoSource::SkipMissed(std::uint64_t index, SteadyTime start) const {
  const auto due =
      static_cast<std::uint64_t>((std::chrono::steady_clock::now() - start) / TimeOf(1));
  return due > index + kMaxQueued ? due : index;
}

void DemoSource::Report(SteadyTime now, bool last) {
  if (!last && now < next_report_) return;
  next_report_ = now + std::chrono::seconds(1);
  std::printf("{\"frames\":%llu,\"last_number\":%llu}\n", static_cast<unsigned long long>(frames_),
              static_cast<unsigned long long>(options_.start_number + frames_ - 1));
  std::fflush(stdout);
}

Status DemoSource::Run(SignalWait& signals) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  std::optional<std::uint64_t> wanted = options_.frames;
  if (options_.seconds) wanted = static_cast<std::uint64_t>(*options_.seconds * options_.fps);
  const SteadyTime start = std::chrono::steady_clock::now();
  next_report_ = start + std::chrono::seconds(1);
  Status status;
  for (std::uint64_t index = 0; status.ok(); ++index) {
    if (!options_.unpaced) index = SkipMissed(index, start);
    if (wanted && index >= *wanted) break;
    if (!options_.unpaced && signals.SleepUntil(start + TimeOf(index))) break;
    Push(index);
    Report(std::chrono::steady_clock::now(), false);
    status = CheckBus(bus);
  }
  Report(std::chrono::steady_clock::now(), true);
  gst_object_unref(bus);
  return status.ok() ? Finish() : status;
}

Status DemoSource::Finish() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  gst_app_src_end_of_stream(source_);
  Status status;
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (status.ok() && std::chrono::steady_clock::now() < deadline) {
    status = CheckBus(bus);
    if (status.ok()) g_usleep(10'000);
  }
  gst_object_unref(bus);
  const bool ended = !status.ok() && status.error().code == ErrorCode::kClosed;
  if (ended) return {};
  if (!status.ok()) return status;
  return Error{ErrorCode::kTimeout, "the output did not finish within 3 s"};
}

int Main(const Options& options) {
  Result<SignalWait> signals = SignalWait::Create();
  Status status = signals.ok() ? InitGStreamer() : Status(signals.error());
  if (status.ok()) {
    Result<std::unique_ptr<DemoSource>> source = DemoSource::Create(options);
    status = source.ok() ? (*source)->Run(*signals) : Status(source.error());
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "framelock-demo-source: %s\n", status.error().message.c_str());
  return 1;
}

}  // namespace
}  // namespace framelock::demo

int main(int argc, char** argv) {
  framelock::demo::Options options;
  CLI::App app("Publishes a live test picture, a frame number stamped into each frame");
  app.add_option("--publish", options.publish, "channel: http(s), ws(s) or file URL")->required();
  app.add_option("--width", options.width)->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--height", options.height)->check(CLI::Range(128, 4096))->capture_default_str();
  app.add_option("--fps", options.fps)->check(CLI::Range(1, 120))->capture_default_str();
  app.add_option("--gop", options.gop_seconds, "seconds between keyframes")
      ->check(CLI::Range(1, 60))
      ->capture_default_str();
  app.add_option("--bitrate", options.bitrate_kbps, "kbit/s")
      ->check(CLI::Range(50, 100'000))
      ->capture_default_str();
  app.add_option("--codec", options.codec)
      ->check(CLI::IsMember({"h264", "h265"}))
      ->capture_default_str();
  app.add_option("--start-number", options.start_number, "number of the first frame")
      ->capture_default_str();
  app.add_option("--offset-hue", options.hue_degrees, "turns the colours, in degrees");
  app.add_flag("--stamp-in-middle", options.stamp_in_middle,
               "stamps the middle of the picture, which outlives cropping to another shape");
  app.add_option("--seconds", options.seconds, "ends after so long")->check(CLI::PositiveNumber);
  app.add_option("--frames", options.frames, "ends after so many frames");
  app.add_flag("--unpaced", options.unpaced, "as fast as the encoder goes, for files");
  CLI11_PARSE(app, argc, argv);
  return framelock::demo::Main(options);
}
