// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_process.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/core/sealed_text.h"

namespace framelock::stream {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxErrorBytes = 1u << 20;  // of a rejected prompt, as JSON
constexpr std::size_t kMaxPromptBytes = ControlChannel::kMaxMessageBytes;
constexpr std::size_t kMaxKnownWorkers = 64;
constexpr std::chrono::milliseconds kLastWords{500};
constexpr std::chrono::seconds kTraceInterval{5};
constexpr std::chrono::milliseconds kDataEnd{400};  // a little more than the sink's close-timeout

Result<UniqueFd> OpenSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return ErrnoError("create a signal descriptor");
  return fd;
}

std::int64_t IntegerOr(const json& object, const char* name, std::int64_t otherwise) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? it->get<std::int64_t>() : otherwise;
}

Result<std::optional<PictureSize>> ReadSize(const json& message) {
  if (!message.contains("width") && !message.contains("height"))
    return std::optional<PictureSize>();
  const std::int64_t width = IntegerOr(message, "width", 0);
  const std::int64_t height = IntegerOr(message, "height", 0);
  const auto fits = [](std::int64_t side) { return side >= kMinSide && side <= kMaxSide; };
  if (!fits(width) || !fits(height)) {
    return Error{ErrorCode::kInvalidArgument, "width, height: must be " + std::to_string(kMinSide) +
                                                  ".." + std::to_string(kMaxSide)};
  }
  return std::optional(PictureSize{static_cast<gint>(width), static_cast<gint>(height)});
}

Result<StreamPipeline::PromptChange> ReadChange(const ControlChannel::Message& message) {
  Result<std::string> prompt = ReadText(message.fd.get(), kMaxPromptBytes);
  if (!prompt) return prompt.error();
  const Result<std::optional<PictureSize>> size = ReadSize(message.body);
  if (!size) return size.error();
  StreamPipeline::PromptChange change{.prompt = std::move(*prompt), .size = *size};
  const auto settings = message.body.find("settings");
  if (settings == message.body.end()) return change;
  if (!settings->is_object()) {
    return Error{ErrorCode::kInvalidArgument, "settings: must be an object"};
  }
  change.settings = settings->dump(-1, ' ', false, json::error_handler_t::replace);
  return change;
}

}  // namespace

StreamProcess::StreamProcess(std::chrono::milliseconds status_interval,
                             std::chrono::milliseconds stop_timeout,
                             std::optional<ControlChannel> control, UniqueFd signals,
                             std::size_t max_texts)
    : status_interval_(status_interval),
      stop_timeout_(stop_timeout),
      control_(std::move(control)),
      signals_(std::move(signals)),
      outbox_(control_ ? &*control_ : nullptr, max_texts) {}

StreamProcess::~StreamProcess() {
  if (pipeline_) pipeline_->Stop();  // lets the prompt under way return
}

Result<std::unique_ptr<StreamProcess>> StreamProcess::Create(Options options) {
  Result<UniqueFd> signals = OpenSignals();
  if (!signals) return signals.error();
  std::optional<ControlChannel> control;
  if (options.control) control.emplace(std::move(*options.control));
  const StreamConfig& config = options.stream.config;
  const auto max_texts = static_cast<std::size_t>(config.max_waiting_texts);
  std::unique_ptr<StreamProcess> process(new StreamProcess(options.status_interval,
                                                           options.stop_timeout, std::move(control),
                                                           std::move(*signals), max_texts));
  if (process->control_) {
    Result<std::unique_ptr<PeerWatch>> watch = PeerWatch::Start(process->control_->fd());
    if (!watch) return watch.error();
    process->watch_ = std::move(*watch);
  }
  Result<std::unique_ptr<StreamPipeline>> pipeline = StreamPipeline::Create(options.stream);
  if (!pipeline) {
    process->OnEvent(StreamPipeline::Failed{pipeline.error().message});
    process->End();
    return pipeline.error();
  }
  process->pipeline_ = std::move(*pipeline);
  StreamPipeline& stream = *process->pipeline_;
  if (config.data_url) {
    Result<std::unique_ptr<DataChannel>> data =
        DataChannel::Open(*config.data_url, {.max_texts = max_texts}, Clock::System().Now());
    if (!data) {
      process->OnEvent(StreamPipeline::Failed{data.error().message});
      process->End();
      return data.error();
    }
    process->data_ = std::move(*data);
  }
  Result<std::unique_ptr<PromptLine>> prompts =
      PromptLine::Create([&stream](PromptLine::Request& request) {
        return request.worker ? stream.SwitchWorker(std::move(request.worker), request.change.size)
                              : stream.SetPrompt(request.change);
      });
  if (!prompts) return prompts.error();
  process->prompts_ = std::move(*prompts);
  return process;
}

int StreamProcess::Run() {
  if (const Status started = pipeline_->Start(); !started) {
    OnEvent(StreamPipeline::Failed{started.error().message});
    return End();
  }
  Check(outbox_.Say({{"type", "started"}}));
  while (!finish_) {
    WaitForNews();
    // The bus first: a worker's loss must be known before the next worker is taken.
    HandleBus();
    HandleSignals();
    HandlePrompts();
    HandleControl();
    const SteadyTime now = Clock::System().Now();
    HandleTexts(now);
    if (!finish_) ReportStatus(now);
    if (!finish_ && stop_deadline_ && now >= *stop_deadline_) {
      spdlog::warn("the output did not finish in time and is cut off");
      finish_ = Finish::kStopped;
    }
  }
  return End();
}

void StreamProcess::WaitForNews() {
  const short control_events = static_cast<short>(POLLIN | (outbox_.waiting() ? POLLOUT : 0));
  std::array<pollfd, 5> entries{{{signals_.get(), POLLIN, 0},
                                 {pipeline_->bus_fd(), POLLIN, 0},
                                 {prompts_->fd(), POLLIN, 0},
                                 {pipeline_->texts().fd(), POLLIN, 0},
                                 {control_ ? control_->fd() : -1, control_events, 0}}};
  const SteadyTime next = data_ ? std::min(next_status_, data_->NextDeadline()) : next_status_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::System().Now());
  const auto most = std::chrono::milliseconds(status_interval_);
  const auto wait = std::clamp(left, std::chrono::milliseconds(0), most);
  ::poll(entries.data(), entries.size(), static_cast<int>(wait.count()));
}

void StreamProcess::HandleBus() {
  while (std::optional<StreamPipeline::Event> event = pipeline_->NextEvent()) {
    std::visit([this](const auto& e) { OnEvent(e); }, *event);
  }
}

void StreamProcess::HandleSignals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    spdlog::info("signal {}: stopping", info.ssi_signo);
    RequestStop();
  }
}

void StreamProcess::HandlePrompts() {
  while (std::optional<PromptLine::Reply> reply = prompts_->NextReply()) {
    if (reply->kind == PromptLine::Kind::kWorker) {
      AnswerSwitch(reply->number, reply->answer);
    } else {
      AnswerPrompt(reply->number, reply->answer);
    }
  }
}

void StreamProcess::HandleControl() {
  if (!control_) return;
  Check(outbox_.Flush());
  while (!finish_) {
    Result<std::optional<ControlChannel::Message>> message = control_->Receive();
    if (!message) return OnEvent(StreamPipeline::Failed{message.error().message});
    if (!*message) return;
    HandleMessage(std::move(**message));
  }
}

void StreamProcess::HandleTexts(SteadyTime now) {
  while (const std::optional<FrameText> text = pipeline_->texts().Next()) {
    json told = ToJson(*text);
    if (data_) data_->Add(told["text"].dump(-1, ' ', false, json::error_handler_t::replace));
    told["type"] = "text";
    Check(outbox_.SayText(std::move(told)));
  }
  if (data_) data_->MoveOn(now);
}

void StreamProcess::HandleMessage(ControlChannel::Message message) {
  const std::string type = message.body["type"].get<std::string>();
  if (type == "worker" && message.fd) {
    lease_ = IntegerOr(message.body, "lease", lease_ + 1);
    const Result<std::optional<PictureSize>> size = ReadSize(message.body);
    if (!size) spdlog::warn("control message of type worker: {}", size.error().message);
    pipeline_->LendWorker(std::move(message.fd), size ? *size : std::nullopt);
  } else if (type == "switch_worker" && message.fd) {
    TakeSwitch(std::move(message));
  } else if (type == "set_prompt" && message.fd) {
    TakePrompt(message);
  } else if (type == "stop") {
    RequestStop();
  } else {
    spdlog::warn("control message of type {} is not understood", type);
  }
}

void StreamProcess::TakePrompt(const ControlChannel::Message& message) {
  const std::int64_t request = IntegerOr(message.body, "request", 0);
  Result<StreamPipeline::PromptChange> change = ReadChange(message);
  std::string refusal = "too many prompts are waiting";
  if (!change) {
    refusal = change.error().message;
  } else if (prompts_->Submit({request, std::move(*change), UniqueFd()})) {
    return;
  }
  AnswerPrompt(request, {.applied = false, .revision = 0, .errors = {{"error", refusal}}});
}

void StreamProcess::TakeSwitch(ControlChannel::Message message) {
  const std::int64_t lease = IntegerOr(message.body, "lease", lease_ + 1);
  const Result<std::optional<PictureSize>> size = ReadSize(message.body);
  std::string refusal = "too many prompts are waiting";
  if (!size) {
    refusal = size.error().message;
  } else if (prompts_->Submit({lease, {.prompt = {}, .size = *size}, std::move(message.fd)})) {
    switches_.push_back(lease);
    return;
  }
  const json errors{{"error", refusal}};
  Check(outbox_.Say({{"type", "switched"},
                     {"lease", lease},
                     {"applied", false},
                     {"in_force", false},
                     {"errors", errors}}));
}

// The bus may tell later that it took over.
void StreamProcess::AnswerSwitch(std::int64_t lease, const StreamPipeline::PromptAnswer& answer) {
  std::erase(switches_, lease);
  if (answer.in_force) lease_ = std::max(lease_, lease);
  Check(outbox_.Say({{"type", "switched"},
                     {"lease", lease},
                     {"applied", answer.applied},
                     {"in_force", answer.in_force},
                     {"errors", answer.errors}}));
}

void StreamProcess::AnswerPrompt(std::int64_t request, const StreamPipeline::PromptAnswer& answer) {
  using nlohmann::json;
  json errors = answer.errors;
  // What cannot be told in full is still a rejection, and no reason to end.
  if (errors.dump(-1, ' ', false, json::error_handler_t::replace).size() > kMaxErrorBytes) {
    const json shortened{{"type", "too_many_errors"},
                         {"message", "The prompt was rejected with more than can be told"},
                         {"details", ""},
                         {"extra_info", json::object()}};
    errors = {{"error", shortened}, {"node_errors", json::object()}};
  }
  Check(outbox_.Say({{"type", "prompt_result"},
                     {"request", request},
                     {"applied", answer.applied},
                     {"revision", answer.revision},
                     {"errors", std::move(errors)}}));
}

void StreamProcess::OnEvent(const StreamPipeline::WorkerReady& ready) {
  spdlog::info("worker={} is ready", ready.pid);
  KnowWorker(ready.pid, lease_);
}

void StreamProcess::OnEvent(const StreamPipeline::WorkerSwitched& switched) {
  spdlog::info("worker={} has taken over", switched.pid);
  // Only the first can be under way: they are applied one after the other.
  if (!switches_.empty()) lease_ = std::max(lease_, switches_.front());
  KnowWorker(switched.pid, lease_);
}

void StreamProcess::KnowWorker(int pid, std::int64_t lease) {
  if (leases_.size() >= kMaxKnownWorkers) leases_.clear();
  leases_[pid] = lease;
}

void StreamProcess::OnEvent(const StreamPipeline::WorkerLost& lost) {
  spdlog::warn("worker={} is lost ({}): {}", lost.pid, lost.reason, lost.detail);
  const auto known = leases_.find(lost.pid);
  const std::int64_t lease = known == leases_.end() ? lease_ : known->second;
  if (known != leases_.end()) leases_.erase(known);
  Check(outbox_.Say({{"type", "worker_lost"},
                     {"lease", lease},
                     {"reason", lost.reason},
                     {"detail", lost.detail}}));
}

void StreamProcess::OnEvent(const StreamPipeline::Ended& /*ended*/) {
  finish_ = stop_deadline_ ? Finish::kStopped : Finish::kEndOfStream;
}

void StreamProcess::OnEvent(const StreamPipeline::Failed& failed) {
  spdlog::error("the stream fails: {}", failed.message);
  finish_ = Finish::kError;
  Check(outbox_.Say({{"type", "error"}, {"message", failed.message}, {"fatal", true}}));
}

void StreamProcess::RequestStop() {
  if (stop_deadline_) return;
  stop_deadline_ = Clock::System().Now() + stop_timeout_;
  pipeline_->RequestEnd();
}

StreamStatus StreamProcess::Look(SteadyTime now) const {
  StreamStatus status = pipeline_->Look(now);
  status.texts_dropped = pipeline_->texts().dropped() + outbox_.dropped_texts();
  if (!data_) return status;
  status.texts_dropped += data_->dropped();
  status.data = data_->Stats();
  return status;
}

void StreamProcess::ReportStatus(SteadyTime now) {
  const StreamStatus status = Look(now);
  if (now < next_status_ && reported_ == status.state) return;
  next_status_ = now + status_interval_;
  reported_ = status.state;
  Check(outbox_.SayStatus(ToJson(status)));
  if (status.latency_trace.empty() || now < next_trace_) return;
  next_trace_ = now + kTraceInterval;
  spdlog::info("latency {}", LatencyTrace::Line(status.latency_trace));
}

void StreamProcess::Check(const Status& said) {
  if (said.ok() || finish_ == Finish::kError) return;
  spdlog::error("control line: {}", said.error().message);
  finish_ = Finish::kError;
}

int StreamProcess::End() {
  const Finish finish = finish_.value_or(Finish::kError);
  constexpr std::array kReasons = {"eos", "stopped", "error"};
  if (pipeline_) {
    const SteadyTime now = Clock::System().Now();
    HandleTexts(now);
    StreamStatus status = Look(now);
    status.state = finish == Finish::kError ? StreamState::kError : StreamState::kEnded;
    Check(outbox_.SayStatus(ToJson(status)));
    pipeline_->Stop();
  }
  if (data_) data_->Finish(kDataEnd);
  Check(outbox_.Say({{"type", "ended"}, {"reason", kReasons[static_cast<std::size_t>(finish)]}}));
  outbox_.Drain(kLastWords);
  return finish == Finish::kError ? 1 : 0;
}

}  // namespace framelock::stream
