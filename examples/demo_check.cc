// SPDX-License-Identifier: Apache-2.0
// framelock-demo-check: reads a channel and proves, frame by frame, that each picture carries the
// time of the input frame it was made from.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/channel_elements.h"
#include "examples/channel_reader.h"
#include "examples/contact_sheet.h"
#include "examples/frame_pairs.h"
#include "examples/frame_stamp.h"
#include "examples/match_check.h"
#include "examples/png_file.h"
#include "examples/signal_wait.h"

namespace framelock::demo {
namespace {

struct Options {
  std::string subscribe;
  std::string source_subscribe;
  std::string expect = "any";
  int fps = 30;
  int epochs = 1;
  std::optional<double> seconds;
  std::optional<std::uint64_t> frames;
  double wait_seconds = 30;
  std::string report, frames_log, sheet;
  int sheet_columns = 8;
  bool verify_invert = false;
  double max_error = 6.0;
  std::vector<int> stamped_middle;  // width and height of the source, if its middle is stamped
};

constexpr int kSheetCellWidth = 192;
constexpr std::chrono::milliseconds kTick{20};

std::chrono::microseconds WallClock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

// What both readers' threads feed; everything is behind one lock.
class Judge {
 public:
  Judge(const Options& options, Polarity polarity)
      : options_(options),
        check_(
            {.frames_per_second = options.fps, .polarity = polarity, .max_epochs = options.epochs}),
        sheet_(static_cast<std::size_t>(options.sheet_columns)) {
    if (!options.frames_log.empty()) {
      log_.open(options.frames_log);
      log_ << "arrival_us,number,inverted,pts_ticks,width,height\n" << std::flush;
    }
  }

  void OnInput(const ChannelReader::Frame& frame) {
    const std::optional<ReadStamp> read = Find(frame.picture);
    if (!read) return;
    auto picture = std::make_shared<const Picture>(Picture::Copy(frame.picture));
    const std::lock_guard lock(mutex_);
    Pair(pairs_.AddInput(read->stamp.number, std::move(picture)));
  }

  void OnOutput(const ChannelReader::Frame& frame) {
    const std::chrono::microseconds now = WallClock();
    const SteadyTime arrived = std::chrono::steady_clock::now();
    const std::optional<ReadStamp> read = Find(frame.picture);
    std::shared_ptr<const Picture> picture;
    if (read && wants_pairs()) {
      picture = std::make_shared<const Picture>(Picture::Copy(frame.picture));
    }
    const std::lock_guard lock(mutex_);
    if (options_.frames && check_.frames() >= *options_.frames) return;
    if (!first_arrival_) first_arrival_ = arrived;
    check_.Observe(
        {.pts_ticks = frame.pts_ticks, .read = read, .arrived = arrived, .wall_clock = now});
    Log(read, frame, now);
    if (picture) Pair(pairs_.AddOutput(read->stamp.number, std::move(picture)));
  }

  [[nodiscard]] bool wants_pairs() const { return !options_.source_subscribe.empty(); }

  [[nodiscard]] bool Finished(SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    if (options_.frames && check_.frames() >= *options_.frames) return true;
    return options_.seconds && first_arrival_ &&
           now - *first_arrival_ >= std::chrono::duration<double>(*options_.seconds);
  }
  [[nodiscard]] bool Started() const {
    const std::lock_guard lock(mutex_);
    return first_arrival_.has_value();
  }

  nlohmann::json Report() const {
    const std::lock_guard lock(mutex_);
    nlohmann::json report = check_.Report();
    bool passed = check_.passed();
    if (options_.verify_invert) {
      report["verified_frames"] = verified_;
      report["max_mean_abs_error"] = max_error_;
      passed = passed && verified_ > 0 && max_error_ < options_.max_error;
    }
    report["passed"] = passed;
    return report;
  }

  Picture Sheet() const {
    const std::lock_guard lock(mutex_);
    return sheet_.Compose(kSheetCellWidth);
  }

 private:
  void Pair(const std::optional<FramePairs::Pair>& pair) {
    if (!pair) return;
    if (!options_.sheet.empty()) sheet_.Add(*pair);
    if (!options_.verify_invert || !OutputIsInverted(*pair)) return;
    const std::optional<double> error = ErrorOfInverse(*pair->input, *pair->output);
    ++verified_;
    max_error_ = std::max(max_error_, error.value_or(255.0));
  }

  [[nodiscard]] std::optional<ReadStamp> Find(const PictureView& picture) const {
    const std::vector<int>& source = options_.stamped_middle;
    return FindStamp(source.empty() ? picture : MiddleOf(picture, source[0], source[1]));
  }

  bool OutputIsInverted(const FramePairs::Pair& pair) const {
    Picture copy = *pair.output;
    const std::optional<ReadStamp> read = Find(copy.View());
    return read && read->inverted;
  }

  void Log(const std::optional<ReadStamp>& read, const ChannelReader::Frame& frame,
           std::chrono::microseconds now) {
    if (!log_.is_open()) return;
    log_ << now.count() << ',';
    if (read) log_ << read->stamp.number;
    log_ << ',' << (read && read->inverted ? 1 : 0) << ',' << frame.pts_ticks << ','
         << frame.picture.width << ',' << frame.picture.height << '\n'
         << std::flush;
  }

  const Options& options_;
  mutable std::mutex mutex_;
  MatchCheck check_;
  FramePairs pairs_;
  ContactSheet sheet_;
  std::ofstream log_;
  std::optional<SteadyTime> first_arrival_;
  std::uint64_t verified_ = 0;
  double max_error_ = 0;
};

// Until the wanted time or number, the channel's end, or a signal.
Status Watch(const Options& options, const Judge& judge, ChannelReader& output,
             ChannelReader* input, SignalWait& signals) {
  const SteadyTime patience =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::duration<double>(options.wait_seconds));
  for (;;) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (judge.Finished(now) || signals.SleepUntil(now + kTick)) return {};
    if (!judge.Started() && now > patience) {
      return Error{ErrorCode::kTimeout, options.subscribe + ": no frame in time"};
    }
    const Status status = output.Check();
    if (!status.ok() && status.error().code == ErrorCode::kClosed) return {};
    if (!status.ok()) return status;
    if (input == nullptr) continue;
    const Status source = input->Check();
    if (!source.ok() && source.error().code != ErrorCode::kClosed) return source;
  }
}

Status WriteReport(const Options& options, const nlohmann::json& report) {
  std::printf("%s\n", report.dump().c_str());
  if (options.report.empty()) return {};
  std::ofstream file(options.report);
  file << report.dump() << '\n' << std::flush;
  if (file.good()) return {};
  return Error{ErrorCode::kInternal, options.report + ": cannot be written"};
}

Status Check(const Options& options, SignalWait& signals) {
  const Result<Polarity> polarity = PolarityFromName(options.expect);
  if (!polarity) return polarity.error();
  Judge judge(options, *polarity);
  std::unique_ptr<ChannelReader> input;
  if (judge.wants_pairs()) {
    Result<std::unique_ptr<ChannelReader>> opened = ChannelReader::Open(
        options.source_subscribe, [&](const ChannelReader::Frame& f) { judge.OnInput(f); });
    if (!opened) return opened.error();
    input = std::move(*opened);
  }
  Result<std::unique_ptr<ChannelReader>> output = ChannelReader::Open(
      options.subscribe, [&](const ChannelReader::Frame& f) { judge.OnOutput(f); });
  if (!output) return output.error();
  const Status watched = Watch(options, judge, **output, input.get(), signals);
  output->reset();
  input.reset();

  nlohmann::json report = judge.Report();
  if (!watched.ok()) {
    report["error"] = watched.error().message;
    report["passed"] = false;
  }
  if (const Status written = WriteReport(options, report); !written) return written;
  if (!options.sheet.empty()) {
    if (const Status sheet = WritePng(judge.Sheet(), options.sheet); !sheet) return sheet;
  }
  if (!watched.ok()) return watched;
  if (report["passed"].get<bool>()) return {};
  return Error{ErrorCode::kInternal, options.subscribe + ": frames do not match"};
}

int Main(const Options& options) {
  Result<SignalWait> signals = SignalWait::Create();
  Status status = signals.ok() ? InitGStreamer() : Status(signals.error());
  if (status.ok()) status = Check(options, *signals);
  if (status.ok()) return 0;
  std::fprintf(stderr, "framelock-demo-check: %s\n", status.error().message.c_str());
  return 1;
}

}  // namespace
}  // namespace framelock::demo

int main(int argc, char** argv) {
  framelock::demo::Options options;
  CLI::App app("Checks a channel frame by frame against the numbers stamped into its pictures");
  app.add_option("--subscribe", options.subscribe, "channel: http(s), ws(s) or file URL")
      ->required();
  app.add_option("--source-subscribe", options.source_subscribe, "the channel it was made from");
  app.add_option("--expect", options.expect, "polarity of the pictures")
      ->check(CLI::IsMember({"any", "plain", "inverted"}))
      ->capture_default_str();
  app.add_option("--fps", options.fps, "of the source")
      ->check(CLI::Range(1, 120))
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "how many pts offsets are allowed, one after another")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "from the first frame on");
  app.add_option("--frames", options.frames, "ends after so many frames");
  app.add_option("--wait", options.wait_seconds, "seconds until the first frame")
      ->capture_default_str();
  app.add_option("--report", options.report, "JSON file for the figures");
  app.add_option("--frames-log", options.frames_log, "CSV file, one row a frame");
  auto* sheet = app.add_option("--sheet", options.sheet, "PNG: inputs above their outputs");
  app.add_option("--sheet-columns", options.sheet_columns)
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  auto* verify = app.add_flag("--verify-invert", options.verify_invert,
                              "each inverted output must be 255 - its input");
  app.add_option("--max-error", options.max_error, "mean absolute error that the codec may add")
      ->capture_default_str();
  sheet->needs("--source-subscribe");
  verify->needs("--source-subscribe");
  app.add_option("--stamped-middle", options.stamped_middle,
                 "width and height of the source, which stamps the middle of its pictures")
      ->expected(2)
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return framelock::demo::Main(options);
}
