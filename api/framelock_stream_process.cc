// SPDX-License-Identifier: Apache-2.0
#include "api/framelock_stream_process.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "api/json_text.h"
#include "api/media_report.h"
#include "api/watched_child.h"
#include "pipeline/core/packet_socket.h"
#include "pipeline/core/sealed_text.h"
#include "pipeline/stream/control.h"

namespace framelock::api {

namespace {

using nlohmann::json;
using stream::ControlChannel;

// After so many messages in a row, or one too long for a packet, the loop gets a turn, whatever the
// peer sends.
constexpr int kMessagesPerTurn = 32;
constexpr auto kRetryPause = std::chrono::milliseconds(100);
// Between two looks at the processes that are kept ready. One that ends is replaced at the next
// start, not before: what cannot run is not tried for ever.
constexpr auto kLookPause = std::chrono::milliseconds(100);
// The stream that has just been started shall have the processors for itself.
constexpr auto kRefillPause = std::chrono::milliseconds(300);

// What the reading coroutine and the process's owner share; the coroutine ends with the line.
struct Line {
  explicit Line(PacketSocket socket) : channel(std::move(socket)) {}
  ControlChannel channel;
  MediaReport report;
  std::shared_ptr<TextFeed> texts;
  std::shared_ptr<net::Signal> changed;  // null once nobody listens any more
};

// One turn: false once the line has ended.
bool ReadMessages(Line& line, const std::string& stream_id) {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    Result<std::optional<ControlChannel::Message>> message = line.channel.Receive();
    if (!message) {
      if (message.error().code == ErrorCode::kClosed) return false;
      // It does not speak the protocol: end of the line for it, and soon of the process.
      spdlog::error("stream={} control line: {}", stream_id, message.error().message);
      ::shutdown(line.channel.fd(), SHUT_RDWR);
      return false;
    }
    if (!*message) return true;
    TakeMessage((*message)->body, Clock::System().Now(), line.report);
    line.texts->Take((*message)->body);
    if ((*message)->enclosed) return true;
  }
  return true;
}

net::Task<> ReadLine(std::shared_ptr<Line> line, std::string stream_id) {
  net::ReadableWatch watch(line->channel.fd());
  bool open = true;
  while (open) {
    const Status readable = co_await watch.Wait();
    open = ReadMessages(*line, stream_id);
    if (line->changed) line->changed->NotifyAll();
    // That we could not wait (no descriptor free) says nothing about the process.
    if (!readable) co_await net::SleepFor(kRetryPause);
  }
}

class FramelockStreamProcess final : public MediaProcess {
 public:
  FramelockStreamProcess(std::unique_ptr<WatchedChild> child, std::shared_ptr<Line> line)
      : child_(std::move(child)), line_(std::move(line)) {}
  ~FramelockStreamProcess() override { line_->changed.reset(); }

  [[nodiscard]] pid_t pid() const override { return child_->pid(); }
  [[nodiscard]] const MediaReport& report() const override { return line_->report; }

  Status LendWorker(int socket, std::uint64_t lease, InputSize size) override {
    return line_->channel.Send(
        {{"type", "worker"}, {"lease", lease}, {"width", size.width}, {"height", size.height}},
        socket);
  }
  Status SwitchWorker(int socket, std::uint64_t lease, InputSize size) override {
    return line_->channel.Send({{"type", "switch_worker"},
                                {"lease", lease},
                                {"width", size.width},
                                {"height", size.height}},
                               socket);
  }
  Status SendPrompt(std::uint64_t request, const std::string& text,
                    const GraphSettings& settings) override {
    Result<UniqueFd> sealed = SealText(text);
    if (!sealed) return sealed.error();
    return line_->channel.Send({{"type", "set_prompt"},
                                {"request", request},
                                {"width", settings.size.width},
                                {"height", settings.size.height},
                                {"settings", stream::ToJson(settings.worker)}},
                               sealed->get());
  }
  Status RequestStop() override { return line_->channel.Send({{"type", "stop"}}); }

  void Signal(int signal) override { child_->Signal(signal); }
  void Kill() override { child_->Kill(); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return child_->departure();
  }

 private:
  std::unique_ptr<WatchedChild> child_;
  std::shared_ptr<Line> line_;
};

}  // namespace

FramelockStreamSource::FramelockStreamSource(net::Loop& loop, Options options)
    : loop_(loop), warm_(std::make_shared<Warm>(Warm{std::move(options), {}, SteadyTime{}})) {
  loop_.Spawn(KeepWarm(warm_));
}

net::Task<> FramelockStreamSource::KeepWarm(std::weak_ptr<Warm> weak) {
  while (const std::shared_ptr<Warm> warm = weak.lock()) {
    std::erase_if(warm->spares, [](SpareMedia& spare) { return spare.ended(); });
    if (warm->refill_at && Clock::System().Now() >= *warm->refill_at) {
      warm->refill_at.reset();
      Refill(*warm);
    }
    co_await net::SleepFor(kLookPause);
  }
}

void FramelockStreamSource::Refill(Warm& warm) {
  while (warm.spares.size() < warm.options.warm) {
    Result<SpareMedia> spare = SpareMedia::Start(warm.options.command);
    // Not in anybody's way: the next start makes its own process, and tells if that fails too.
    if (!spare) {
      return spdlog::warn("no framelock-stream can be kept ready: {}", spare.error().message);
    }
    warm.spares.push_back(std::move(*spare));
  }
}

Result<SpareMedia::Running> FramelockStreamSource::Start(const std::string& config) {
  while (!warm_->spares.empty()) {
    SpareMedia spare = std::move(warm_->spares.front());
    warm_->spares.pop_front();
    Result<SpareMedia::Running> running = spare.Configure(config);
    if (running) return running;
    spdlog::warn("{}", running.error().message);
  }
  Result<SpareMedia> fresh = SpareMedia::Start(warm_->options.command);
  if (!fresh) return fresh.error();
  return fresh->Configure(config);
}

Result<std::unique_ptr<MediaProcess>> FramelockStreamSource::Spawn(
    const stream::StreamConfig& config, std::shared_ptr<net::Signal> changed,
    std::shared_ptr<TextFeed> texts) {
  Result<SpareMedia::Running> running = Start(DumpJson(stream::ToJson(config)));
  warm_->refill_at = Clock::System().Now() + kRefillPause;
  if (!running) return running.error();
  auto line = std::make_shared<Line>(std::move(running->line));
  line->changed = changed;
  line->texts = std::move(texts);
  line->report.last_heard = Clock::System().Now();
  WatchedChild::Options watch{
      .label = "stream=" + config.id + " media", .changed = std::move(changed), .on_reaped = {}};
  auto watched = std::make_unique<WatchedChild>(loop_, std::move(running->child), std::move(watch));
  loop_.Spawn(ReadLine(line, config.id));
  return std::unique_ptr<MediaProcess>(
      new FramelockStreamProcess(std::move(watched), std::move(line)));
}

}  // namespace framelock::api
