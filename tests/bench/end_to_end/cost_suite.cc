// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/end_to_end/bare_chain.h"
#include "tests/bench/end_to_end/frame_arrivals.h"
#include "tests/bench/end_to_end/live_stream.h"
#include "tests/bench/end_to_end/scenario.h"
#include "tests/bench/end_to_end/stamped_source.h"
#include "tests/bench/end_to_end/suites.h"
#include "tests/bench/process_usage.h"

namespace framelock::bench {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int kFps = 30;
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kWarmUp{2000};
constexpr milliseconds kTime{10'000};
constexpr double kMib = 1024.0 * 1024.0;
constexpr double kMostCpuRatio = 1.25;
constexpr const char* kBare = "bare codec chain";

struct Case {
  int width, height;
  std::optional<double> most_mib;
  [[nodiscard]] std::string name() const { return fmt::format("{}x{}, 30 fps", width, height); }
};
constexpr Case kCases[] = {{512, 512, 110}, {1280, 720, std::nullopt}};

// The share of each page that this process alone answers for.
double PssMib(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; rollup >> word;) {
    double kilobytes = 0;
    if (word == "Pss:" && rollup >> kilobytes) return kilobytes / 1024;
  }
  return 0;
}

// Several processes as one.
class Group {
 public:
  explicit Group(std::vector<pid_t> pids) : pids_(std::move(pids)) {}

  // Of each so far.
  [[nodiscard]] std::vector<double> CpuSeconds() const {
    std::vector<double> seconds;
    for (const pid_t pid : pids_) {
      const auto usage = ProcessUsage::Read(pid);
      seconds.push_back(usage ? std::chrono::duration<double>(usage->cpu).count() : 0);
    }
    return seconds;
  }
  [[nodiscard]] double PeakMib() const {
    double mib = 0;
    for (const pid_t pid : pids_) {
      const auto usage = ProcessUsage::Read(pid);
      if (usage) mib += static_cast<double>(usage->peak_rss_bytes) / kMib;
    }
    return mib;
  }
  [[nodiscard]] double Pss() const {
    double mib = 0;
    for (const pid_t pid : pids_) mib += PssMib(pid);
    return mib;
  }
  [[nodiscard]] bool empty() const { return pids_.empty(); }

 private:
  std::vector<pid_t> pids_;
};

// Whose cost it is: of a peer only what --peer-api-pid tells.
Result<Group> Payers(const RunOptions& run, House& house, LiveStream& stream) {
  if (house.owner() == House::Owner::kPeer) {
    const pid_t pid = run.peer_api.pid;
    return Group(pid == 0 ? std::vector<pid_t>{} : std::vector<pid_t>{pid});
  }
  const auto status = stream.ReadStatus();
  if (!status) return status.error();
  const json media = (*status)["media"]["pid"];
  const json worker = (*status)["worker"]["pid"];
  if (!media.is_number() || !worker.is_number()) {
    return Error{ErrorCode::kUnavailable, "the stream has no processes"};
  }
  return Group({media.get<pid_t>(), worker.get<pid_t>()});
}

struct Bare {
  std::vector<double> ours, chain;  // share of a core, in percent, of each repetition
};

// Of a core, in percent, during `time`: of each process.
std::vector<double> Shares(const Group& group, milliseconds time) {
  const std::vector<double> before = group.CpuSeconds();
  const SteadyTime begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(time);
  std::vector<double> shares = group.CpuSeconds();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] = 100 * (shares[i] - before[i]) / passed.count();
  }
  return shares;
}

void WarmUp(const RunOptions& run) {
  std::this_thread::sleep_for(run.depth == Depth::kSmoke ? milliseconds(0) : kWarmUp);
}

Result<Figures> MeasureStream(const RunOptions& run, House& house, const Case& the_case,
                              const std::string& source, Bare& bare) {
  auto stream = LiveStream::Start(
      house,
      {.source_channel = source, .width = the_case.width, .height = the_case.height, .fps = kFps});
  if (!stream) return stream.error();
  auto out = FrameArrivals::Open((*stream)->output());
  if (!out) return out.error();
  if (!(*out)->WaitFor(10, kPatience)) {
    return Error{ErrorCode::kTimeout, "the stream publishes nothing"};
  }
  WarmUp(run);
  const auto payers = Payers(run, house, **stream);
  if (!payers) return payers.error();
  if (payers->empty()) return Figures(6);
  const std::size_t shown_before = (*out)->size();
  const milliseconds time = run.RunTime(kTime);
  const std::vector<double> paid = Shares(*payers, time);
  const auto shown = static_cast<double>((*out)->size() - shown_before);
  Figures figures(6);
  figures[3] = payers->PeakMib();
  figures[4] = payers->Pss();
  figures[5] = shown / std::chrono::duration<double>(time).count();
  if (house.owner() == House::Owner::kPeer) {
    figures[0] = paid[0];
    return figures;
  }
  if (run.peer_api.pid != 0) figures[0] = paid[0] + paid[1];  // else there is nothing beside it
  figures[1] = paid[0];
  figures[2] = paid[1];
  bare.ours.push_back(paid[0] + paid[1]);
  return figures;
}

Status MeasureChain(const RunOptions& run, const Case& the_case, const std::string& source,
                    Bare& bare) {
  auto chain = BareChain::Start(run, source, the_case.width, the_case.height);
  if (!chain) return chain.error();
  WarmUp(run);
  bare.chain.push_back(Shares(Group({(*chain)->pid()}), run.RunTime(kTime)).front());
  return (*chain)->Check();
}

// The stream and the chain take their turns on one source: both at once, they and the source would
// be more than two cores can do, and what is left out then costs nothing.
Result<Figures> Measure(const RunOptions& run, House& house, const Case& the_case, Bare& bare) {
  const std::string source_url = house.Channel(House::NewName("source"));
  auto source = StampedSource::Start(
      {.url = source_url, .width = the_case.width, .height = the_case.height, .fps = kFps});
  if (!source) return source.error();
  Result<Figures> figures = MeasureStream(run, house, the_case, source_url, bare);
  if (!figures || house.owner() == House::Owner::kPeer) return figures;
  if (Status measured = MeasureChain(run, the_case, source_url, bare); !measured) {
    return measured.error();
  }
  return figures;
}

}  // namespace

Status RunCost(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  const Result<Houses> houses = Houses::Open(run);
  if (!houses) return houses.error();
  for (const Case& the_case : kCases) {
    std::optional<Goal> memory;
    if (the_case.most_mib) memory = AtMost(*the_case.most_mib);
    Scenario scenario(the_case.name(), {{"CPU", "% of a core"},
                                        {"CPU, media process", "% of a core"},
                                        {"CPU, worker", "% of a core"},
                                        {"peak resident memory", "MiB", memory},
                                        {"proportional memory", "MiB"},
                                        {"published", "fps", AtLeast(kFps - 0.5)}});
    Bare bare;
    const Status measured = scenario.Repeat(
        run, *houses, report, [&](House& house) { return Measure(run, house, the_case, bare); });
    if (!measured) return measured;
    report.AddPairs({.scenario = the_case.name(),
                     .metric = "CPU, both processes",
                     .unit = "% of a core",
                     .peer = kBare,
                     .goal = std::nullopt,
                     .ratio_goal = AtMost(kMostCpuRatio)},
                    bare.ours, bare.chain);
  }
  return {};
}

}  // namespace framelock::bench
