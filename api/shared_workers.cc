// SPDX-License-Identifier: Apache-2.0
#include "api/shared_workers.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "api/watched_child.h"
#include "api/worker_line.h"
#include "workers/host/host_line.h"

namespace framelock::api {

namespace {

constexpr std::size_t kLossesTogether = 2;  // within the window; then a stream sits alone
constexpr std::chrono::milliseconds kRetryPause{100};

}  // namespace

struct SharedWorkerSource::Place {
  Place(std::string id, std::shared_ptr<Process> in, std::shared_ptr<net::Signal> signal,
        WorkerLine conversation)
      : stream_id(std::move(id)),
        process(std::move(in)),
        changed(std::move(signal)),
        line(std::move(conversation)) {}

  const std::string stream_id;
  const std::shared_ptr<Process> process;
  std::shared_ptr<net::Signal> changed;
  WorkerLine line;
  std::optional<Departure> departure;  // its own, or the process's
  std::size_t company = 1;             // streams in the process when it departed
};

struct SharedWorkerSource::Process {
  explicit Process(net::Loop& loop) : news(std::make_shared<net::Signal>(loop)) {}

  [[nodiscard]] bool Takes(std::size_t most, bool one_alone) const {
    return !retired && !alone && !one_alone && !child->departure() && places.size() < most;
  }

  std::shared_ptr<net::Signal> news;  // its end, and each place that is left
  std::unique_ptr<WatchedChild> child;
  std::optional<host::HostLine> line;
  std::vector<std::shared_ptr<Place>> places;
  std::deque<std::weak_ptr<Place>> unanswered;  // AddHost was sent
  bool attended = false;                        // its coroutines run
  bool answered = false;                        // ever
  bool retired = false;                         // takes no more streams
  bool alone = false;                           // for one stream
};

struct SharedWorkerSource::House {
  House(net::Loop& its_loop, host::WorkerPool& its_pool, Options chosen)
      : loop(its_loop), pool(its_pool), options(chosen) {}

  void NoteLoss(const std::string& stream_id) {
    const SteadyTime now = options.clock->Now();
    for (auto& [id, times] : losses) {
      std::erase_if(times, [&](SteadyTime at) { return now - at > options.window; });
    }
    std::erase_if(losses, [](const auto& entry) { return entry.second.empty(); });
    losses[stream_id].push_back(now);
  }
  [[nodiscard]] bool SitsAlone(const std::string& stream_id) const {
    const auto known = losses.find(stream_id);
    if (known == losses.end()) return false;
    const SteadyTime now = options.clock->Now();
    return std::count_if(known->second.begin(), known->second.end(), [&](SteadyTime at) {
             return now - at <= options.window;
           }) >= static_cast<std::ptrdiff_t>(kLossesTogether);
  }

  net::Loop& loop;
  host::WorkerPool& pool;
  const Options options;
  std::vector<std::shared_ptr<Process>> processes;
  std::map<std::string, std::deque<SteadyTime>> losses;
};

class SharedWorkerSource::Seat final : public StreamWorker {
 public:
  Seat(std::shared_ptr<House> house, std::shared_ptr<Place> place)
      : house_(std::move(house)), place_(std::move(place)) {}
  ~Seat() override {
    place_->changed.reset();
    Leave(*place_, "left");
  }

  [[nodiscard]] pid_t pid() const override { return place_->process->child->pid(); }
  [[nodiscard]] int socket() const override { return place_->line.socket(); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return place_->departure;
  }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> HeartbeatAge() const override {
    return place_->line.HeartbeatAge();
  }
  [[nodiscard]] std::size_t streams() const override {
    return place_->departure ? place_->company : place_->process->places.size();
  }
  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt,
                                           const stream::WorkerSettings& settings,
                                           std::uint64_t revision,
                                           std::chrono::nanoseconds timeout) override {
    return place_->line.Prepare(prompt, settings, revision, timeout);
  }

  void CloseSocket() override { Leave(*place_, "left the shared worker"); }
  void Signal(int /*signal*/) override {}  // it would be the others', too
  // Our stream gives up on the process, perhaps because it hangs.
  void Kill() override {
    if (place_->departure) return;
    place_->process->retired = true;
    house_->NoteLoss(place_->stream_id);
    Leave(*place_, place_->process->answered
                       ? "gave the shared worker up"
                       : "the worker answered no AddHost, so it serves one stream only");
  }

 private:
  const std::shared_ptr<House> house_;
  const std::shared_ptr<Place> place_;
};

SharedWorkerSource::SharedWorkerSource(net::Loop& loop, host::WorkerPool& pool, Options options)
    : house_(std::make_shared<House>(loop, pool, options)) {}

SharedWorkerSource::~SharedWorkerSource() = default;

Result<std::shared_ptr<SharedWorkerSource::Process>> SharedWorkerSource::Start() {
  House& house = *house_;
  std::optional<host::WorkerPool::Lease> lease = house.pool.TryLend();
  if (!lease) {
    const std::string& why = house.pool.last_error();
    return Error{
        ErrorCode::kUnavailable,
        std::string(house.pool.given_up() ? "no worker can be started" : "no worker is ready") +
            (why.empty() ? "" : ": " + why)};
  }
  auto process = std::make_shared<Process>(house.loop);
  process->line.emplace(lease->client->Release());
  WatchedChild::Options options{
      .label = "shared worker",
      .changed = process->news,
      .on_reaped = [&pool = house.pool](std::unique_ptr<process::ChildProcess> ended) {
        pool.TakeDown(host::WorkerPool::Lease{.process = std::move(ended), .client = nullptr});
        pool.Tick();
      }};
  process->child =
      std::make_unique<WatchedChild>(house.loop, std::move(lease->process), std::move(options));
  house.processes.push_back(process);
  return process;
}

// The fullest that has room, so that as few run as can be.
Result<std::shared_ptr<SharedWorkerSource::Process>> SharedWorkerSource::Choose(
    const std::string& stream_id) {
  const bool alone = house_->SitsAlone(stream_id);
  std::shared_ptr<Process> best;
  for (const auto& process : house_->processes) {
    if (!process->Takes(house_->options.max_streams, alone)) continue;
    if (!best || process->places.size() > best->places.size()) best = process;
  }
  if (best) return best;
  auto started = Start();
  if (started) (*started)->alone = alone;
  return started;
}

Result<std::unique_ptr<StreamWorker>> SharedWorkerSource::TryTake(
    const std::string& stream_id, std::shared_ptr<net::Signal> changed) {
  const auto process = Choose(stream_id);
  if (!process) return process.error();
  Result<PacketSocket> socket = (*process)->line->Add();
  std::shared_ptr<Place> place;
  if (socket) {
    place = std::make_shared<Place>(stream_id, *process, std::move(changed),
                                    WorkerLine(socket->release()));
    (*process)->places.push_back(place);
    (*process)->unanswered.push_back(place);
  } else {
    (*process)->retired = true;
  }
  // Not before it has its first place: without one it is taken down.
  if (!std::exchange((*process)->attended, true)) {
    house_->loop.Spawn(ReadAnswers(*process));
    house_->loop.Spawn(Attend(house_, *process));
  }
  if (!socket) {
    return Error{ErrorCode::kUnavailable, "the shared worker: " + socket.error().message};
  }
  return std::unique_ptr<StreamWorker>(std::make_unique<Seat>(house_, std::move(place)));
}

// The conversation ends; the worker sees it close.
void SharedWorkerSource::Leave(Place& place, const std::string& why) {
  if (place.departure) return;
  place.departure = Departure{why, {}};
  place.company = place.process->places.size();
  place.line.Close();
  std::erase_if(place.process->places, [&](const auto& other) { return other.get() == &place; });
  if (place.changed) place.changed->NotifyAll();
  place.process->news->NotifyAll();
}

net::Task<> SharedWorkerSource::ReadAnswers(std::shared_ptr<Process> process) {
  net::ReadableWatch watch(process->line->fd());
  while (!process->child->departure()) {
    const Result<std::optional<std::uint32_t>> hosts = process->line->Receive();
    if (!hosts) break;
    if (*hosts) {
      // What nobody asked for is a lie, and a stream of it would leave us no time for others.
      if (process->unanswered.empty()) break;
      process->answered = true;
      const std::shared_ptr<Place> place = process->unanswered.front().lock();
      process->unanswered.pop_front();
      if (**hosts == 0 && place) Leave(*place, "the worker takes no more streams");
      continue;
    }
    const Status readable = co_await watch.Wait(std::chrono::seconds(1));
    const bool idle = !readable && readable.error().code == ErrorCode::kTimeout;
    if (!readable && !idle) co_await net::SleepFor(kRetryPause);
  }
  process->retired = true;
}

// Until the process has ended, for `time` at most.
net::Task<> SharedWorkerSource::GoneWithin(Process& process, const Clock& clock,
                                           std::chrono::nanoseconds time) {
  const SteadyTime deadline = clock.Now() + time;
  while (!process.child->departure() && clock.Now() < deadline) {
    co_await process.news->WaitFor(deadline - clock.Now());
  }
}

// Takes the process down after its last stream, and tells all of them when it has ended by itself.
net::Task<> SharedWorkerSource::Attend(std::shared_ptr<House> house,
                                       std::shared_ptr<Process> process) {
  const WatchedChild& child = *process->child;
  while (!child.departure() && !process->places.empty()) co_await process->news->Wait();
  process->retired = true;
  const bool told = !child.departure();
  if (told) {
    const process::KillLadder& ladder = house->options.ladder;
    process->line->End();
    co_await GoneWithin(*process, *house->options.clock, ladder.cooperative);
    child.Signal(SIGTERM);
    co_await GoneWithin(*process, *house->options.clock, ladder.term);
    child.Kill();
  }
  while (!child.departure()) co_await process->news->Wait();
  Departure departure = *child.departure();
  if (!process->answered && !told) {
    departure.reason += "; it answered no AddHost, so it serves one stream only";
  }
  const std::size_t company = process->places.size();
  const auto places = std::exchange(process->places, {});
  for (const auto& place : places) {
    house->NoteLoss(place->stream_id);
    place->departure = departure;
    place->company = company;
    place->line.Close();
    if (place->changed) place->changed->NotifyAll();
  }
  std::erase(house->processes, process);
}

std::optional<std::chrono::nanoseconds> SharedWorkerSource::pause() const {
  const bool room = std::any_of(
      house_->processes.begin(), house_->processes.end(),
      [&](const auto& process) { return process->Takes(house_->options.max_streams, false); });
  return room || house_->pool.counts().spare > 0 ? std::nullopt : house_->pool.pause();
}

}  // namespace framelock::api
