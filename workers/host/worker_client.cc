// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_client.h"

#include <array>
#include <atomic>
#include <random>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "workers/protocol/error_text.h"
#include "workers/protocol/message_codec.h"

namespace framelock::host {

namespace {

using protocol::Decode;
using protocol::FrameOutcome;
using protocol::MessageType;

// What the worker may still have been sending to its former host when we said Hello: at most this
// many messages are passed over before its Welcome.
constexpr int kMaxStaleMessages = 1024;

Error Lie(const std::string& what) {
  return Error{ErrorCode::kProtocol, "the worker broke the protocol: " + what};
}

bool IsPicture(std::uint32_t width, std::uint32_t height) {
  return width > 0 && width <= protocol::kMaxDimension && height > 0 &&
         height <= protocol::kMaxDimension;
}

bool IsAudioLength(std::uint32_t ms) {
  return ms == 0 || (ms >= protocol::kMinAudioMs && ms <= protocol::kMaxAudioMs);
}

std::string OutOfRange(std::uint32_t width, std::uint32_t height) {
  return "output size " + std::to_string(width) + "x" + std::to_string(height) +
         " is out of range, 1x1 to " + std::to_string(protocol::kMaxDimension) + "x" +
         std::to_string(protocol::kMaxDimension);
}

Status CheckSlot(const char* side, std::uint32_t slot, std::uint32_t slots) {
  if (slot < slots) return {};
  return Error{ErrorCode::kInvalidArgument, std::string(side) + " slot " + std::to_string(slot) +
                                                " does not exist: the attached region has 0 to " +
                                                std::to_string(slots - 1)};
}

}  // namespace

class WorkerClient::Impl {
 public:
  using Packet = PacketSocket::Packet;
  using MaybeEvent = Result<std::optional<Event>>;

  Impl(PacketSocket socket, protocol::SharedMemory page, const Clock& clock)
      : socket_(std::move(socket)), page_(std::move(page)), clock_(clock) {
    beat_changed_ = clock_.Now();
  }

  template <typename Message>
  Status Send(const Message& message, int fd = -1) {
    if (gone_) return *gone_;
    const std::array<int, 1> fds{fd};
    return socket_.Send(protocol::Encode(message),
                        std::span<const int>(fds).first(fd >= 0 ? 1 : 0));
  }

  Status SetPrompt(std::uint64_t revision, std::string_view json, std::string_view settings);
  [[nodiscard]] bool Takes(std::string_view settings) const;
  Status Attach(const protocol::RegionLayout& layout, const protocol::SharedMemory& region);
  Status Submit(FrameSequence sequence, std::uint32_t input_slot, std::uint32_t output_slot);
  Status SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                     std::span<const std::int16_t> samples);
  MaybeEvent Receive();
  Status Greet();
  std::chrono::nanoseconds HeartbeatAge();

  PacketSocket socket_;
  std::optional<Error> gone_;
  bool ready_ = false;
  std::int32_t pid_ = 0;
  std::uint64_t revision_ = 0;  // applied

  struct InFlight {
    std::uint32_t output_slot;
    std::uint32_t texts = 0;
  };
  std::unordered_map<std::uint64_t, InFlight> in_flight_;

 private:
  Status Configure(std::string_view settings);
  MaybeEvent Handle(Packet packet);
  MaybeEvent HandleWhileGreeting(const Packet& packet);
  MaybeEvent OnWelcome(const Packet& packet);
  MaybeEvent PassOver();
  MaybeEvent OnPromptApplied(const Packet& packet);
  MaybeEvent OnPromptRejected(Packet packet);
  MaybeEvent OnAttached(const Packet& packet);
  MaybeEvent OnFrameText(Packet packet);
  MaybeEvent OnCompleted(const Packet& packet);
  [[nodiscard]] Status CheckCompleted(const Completed& message) const;
  [[nodiscard]] Status CheckOutput(const Completed& message) const;

  protocol::SharedMemory page_;
  const Clock& clock_;
  std::uint64_t last_beat_ = 0;
  SteadyTime beat_changed_;
  const std::uint32_t greeting_ = std::random_device{}();
  int stale_messages_ = 0;
  std::uint64_t sent_revision_ = 0;
  bool prompt_outstanding_ = false;
  std::string settings_{kNoSettings};               // told last
  std::uint64_t generation_ = 0;                    // the last one handed over
  std::optional<protocol::RegionLayout> offered_;   // Attach sent, not answered
  std::optional<protocol::RegionLayout> attached_;  // answered
  AudioRequests audio_;
};

Status WorkerClient::Impl::Greet() {
  auto* page = reinterpret_cast<protocol::ControlPage*>(page_.bytes().data());
  page->host_abilities = protocol::kTakesFrameText;  // nobody else has it yet
  protocol::Hello hello;
  hello.greeting = greeting_;
  return Send(hello, page_.fd());
}

bool WorkerClient::Impl::Takes(std::string_view settings) const {
  if (settings == settings_) return true;
  auto* page = reinterpret_cast<protocol::ControlPage*>(page_.bytes().data());
  const std::uint64_t abilities =
      std::atomic_ref<std::uint64_t>(page->abilities).load(std::memory_order_relaxed);
  return (abilities & protocol::kTakesConfigure) != 0;
}

Status WorkerClient::Impl::Configure(std::string_view settings) {
  if (settings == settings_) return {};
  if (!Takes(settings)) {
    return Error{ErrorCode::kInvalidArgument, "the worker takes no settings"};
  }
  auto text = protocol::MakeTextFd(settings);
  if (!text) return text.error();
  protocol::Configure message;
  message.text_bytes = settings.size();
  if (auto sent = Send(message, text->get()); !sent) return sent;
  settings_ = settings;
  return {};
}

Status WorkerClient::Impl::SetPrompt(std::uint64_t revision, std::string_view json,
                                     std::string_view settings) {
  if (gone_) return *gone_;
  if (!ready_) return Error{ErrorCode::kUnavailable, "the worker has not said Welcome yet"};
  if (prompt_outstanding_) {
    return Error{ErrorCode::kUnavailable, "the worker has not answered the prompt before yet"};
  }
  if (revision <= revision_ || revision <= sent_revision_) {
    return Error{ErrorCode::kInvalidArgument,
                 "revision " + std::to_string(revision) + " is not newer than the last one"};
  }
  if (auto configured = Configure(settings); !configured) return configured;
  auto text = protocol::MakeTextFd(json);
  if (!text) return text.error();
  protocol::SetPrompt message;
  message.revision = revision;
  message.text_bytes = json.size();
  if (auto sent = Send(message, text->get()); !sent) return sent;
  sent_revision_ = revision;
  prompt_outstanding_ = true;
  return {};
}

Status WorkerClient::Impl::Attach(const protocol::RegionLayout& layout,
                                  const protocol::SharedMemory& region) {
  if (gone_) return *gone_;
  if (!ready_) return Error{ErrorCode::kUnavailable, "the worker has not said Welcome yet"};
  if (offered_ || !in_flight_.empty()) {
    return Error{ErrorCode::kUnavailable,
                 "the worker still has frames or a region to answer before it can take a new one"};
  }
  if (layout.attach().generation <= generation_) {
    return Error{ErrorCode::kInvalidArgument, "generation " +
                                                  std::to_string(layout.attach().generation) +
                                                  " is not newer than the last one"};
  }
  if (region.bytes().size() != layout.region_bytes()) {
    return Error{ErrorCode::kInvalidArgument, "the region does not have the layout's size"};
  }
  if (auto sent = Send(layout.attach(), region.fd()); !sent) return sent;
  generation_ = layout.attach().generation;
  offered_ = layout;
  attached_.reset();
  return {};
}

Status WorkerClient::Impl::Submit(FrameSequence sequence, std::uint32_t input_slot,
                                  std::uint32_t output_slot) {
  if (gone_) return *gone_;
  if (!attached_) return Error{ErrorCode::kUnavailable, "the worker has no region attached"};
  const protocol::Attach& region = attached_->attach();
  if (Status exists = CheckSlot("input", input_slot, region.input_slots); !exists) return exists;
  if (Status exists = CheckSlot("output", output_slot, region.output_slots); !exists) return exists;
  if (in_flight_.contains(sequence.value)) {
    return Error{ErrorCode::kInvalidArgument,
                 "sequence " + std::to_string(sequence.value) + " is in flight already"};
  }
  protocol::Submit message;
  message.sequence = sequence.value;
  message.generation = generation_;
  message.input_slot = input_slot;
  message.output_slot = output_slot;
  if (auto sent = Send(message); !sent) return sent;
  in_flight_.emplace(sequence.value, InFlight{.output_slot = output_slot});
  return {};
}

Status WorkerClient::Impl::SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                                       std::span<const std::int16_t> samples) {
  if (gone_) return *gone_;
  if (!ready_) return Error{ErrorCode::kUnavailable, "the worker has not said Welcome yet"};
  auto request = audio_.Make(sequence, sample_rate, samples);
  if (!request) return request.error();
  if (auto sent = Send(request->message, request->samples.get()); !sent) return sent;
  audio_.OnSent(request->message);
  return {};
}

Result<std::optional<WorkerClient::Event>> WorkerClient::Impl::Receive() {
  for (;;) {
    if (gone_) return *gone_;
    auto packet = socket_.Receive();
    if (!packet) {
      gone_ = packet.error();
      return *gone_;
    }
    if (!packet->has_value()) return std::optional<Event>();
    auto event = Handle(std::move(**packet));
    if (!event) gone_ = event.error();
    if (!event || event->has_value()) return event;
  }
}

// nullopt: passed over.
WorkerClient::Impl::MaybeEvent WorkerClient::Impl::Handle(Packet packet) {
  const auto type = protocol::PeekType(packet.bytes);
  if (!type) return Lie("a message without a type");
  if (!ready_) return HandleWhileGreeting(packet);
  if (*type == MessageType::kFrameText) return OnFrameText(std::move(packet));
  if (*type == MessageType::kAudioCompleted) {
    auto completed = audio_.OnAnswer(std::move(packet), revision_);
    if (!completed) return completed.error();
    return std::optional<Event>(std::move(*completed));
  }
  const std::size_t fds = *type == MessageType::kPromptRejected ? 1 : 0;
  if (packet.fds.size() != fds) return Lie("wrong number of descriptors");
  switch (*type) {
    case MessageType::kPromptApplied:
      return OnPromptApplied(packet);
    case MessageType::kPromptRejected:
      return OnPromptRejected(std::move(packet));
    case MessageType::kAttached:
      return OnAttached(packet);
    case MessageType::kCompleted:
      return OnCompleted(packet);
    default:
      return Lie("message type " + std::to_string(static_cast<std::uint32_t>(*type)) +
                 " is unexpected");
  }
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::HandleWhileGreeting(const Packet& packet) {
  switch (*protocol::PeekType(packet.bytes)) {
    case MessageType::kWelcome:
      return OnWelcome(packet);
    case MessageType::kPromptApplied:
    case MessageType::kPromptRejected:
    case MessageType::kAttached:
    case MessageType::kCompleted:
    case MessageType::kFrameText:
    case MessageType::kAudioCompleted:
      return PassOver();
    default:
      return Lie("unexpected message before Welcome");
  }
}

// An answer to the host before us.
WorkerClient::Impl::MaybeEvent WorkerClient::Impl::PassOver() {
  if (++stale_messages_ > kMaxStaleMessages) return Lie("no Welcome among its messages");
  return std::optional<Event>();
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnWelcome(const Packet& packet) {
  const auto message = Decode<protocol::Welcome>(packet.bytes);
  if (!message) return Lie(message.error().message);
  if (!packet.fds.empty()) return Lie("welcome: carries descriptors");
  if (message->greeting != greeting_) return PassOver();
  if (message->version != protocol::kVersion) {
    return Lie("welcome: version " + std::to_string(message->version) + " instead of " +
               std::to_string(protocol::kVersion));
  }
  if (message->pid <= 0) return Lie("welcome: pid is not positive");
  ready_ = true;
  pid_ = message->pid;
  revision_ = message->revision;
  beat_changed_ = clock_.Now();
  return std::optional<Event>(Welcomed{.pid = pid_, .revision = revision_});
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnPromptApplied(const Packet& packet) {
  const auto message = Decode<protocol::PromptApplied>(packet.bytes);
  if (!message) return Lie(message.error().message);
  if (!prompt_outstanding_ || message->revision != sent_revision_) {
    return Lie("prompt applied: revision " + std::to_string(message->revision) +
               " was not asked for");
  }
  if (!IsAudioLength(message->audio_ms)) return Lie("prompt applied: audio_ms is out of range");
  const bool unknown = message->output_width == 0 && message->output_height == 0;
  if (!unknown && !IsPicture(message->output_width, message->output_height)) {
    return Lie("prompt applied: " + OutOfRange(message->output_width, message->output_height));
  }
  prompt_outstanding_ = false;
  revision_ = message->revision;
  return std::optional<Event>(PromptApplied{.revision = revision_,
                                            .output_width = message->output_width,
                                            .output_height = message->output_height,
                                            .audio_ms = message->audio_ms});
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnPromptRejected(Packet packet) {
  const auto message = Decode<protocol::PromptRejected>(packet.bytes);
  if (!message) return Lie(message.error().message);
  if (!prompt_outstanding_ || message->revision != sent_revision_) {
    return Lie("prompt rejected: revision " + std::to_string(message->revision) +
               " was not asked for");
  }
  auto text = protocol::ReadTextFd(std::move(packet.fds[0]), message->text_bytes);
  if (!text) return Lie("prompt rejected: " + text.error().message);
  prompt_outstanding_ = false;
  return std::optional<Event>(
      PromptRejected{.revision = message->revision, .errors_json = std::move(*text)});
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnAttached(const Packet& packet) {
  const auto message = Decode<protocol::Attached>(packet.bytes);
  if (!message) return Lie(message.error().message);
  if (!offered_ || message->generation != generation_) {
    return Lie("attached: generation " + std::to_string(message->generation) +
               " was not handed over");
  }
  const bool refused = message->output_width == 0;
  if (!refused && !IsPicture(message->output_width, message->output_height)) {
    return Lie("attached: " + OutOfRange(message->output_width, message->output_height));
  }
  if (!IsAudioLength(message->audio_ms)) return Lie("attached: audio_ms is out of range");
  if (!refused) attached_ = offered_;
  offered_.reset();
  return std::optional<Event>(Attached{.generation = generation_,
                                       .output_width = message->output_width,
                                       .output_height = refused ? 0 : message->output_height,
                                       .audio_ms = message->audio_ms});
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnFrameText(Packet packet) {
  const auto message = Decode<protocol::FrameText>(packet.bytes);
  if (!message) return Lie(message.error().message);
  const auto entry = in_flight_.find(message->sequence);
  if (entry == in_flight_.end()) {
    return Lie("frame text: sequence " + std::to_string(message->sequence) +
               " is unknown or was answered before");
  }
  if (++entry->second.texts > protocol::kMaxFrameTexts) {
    return Lie("frame text: more than " + std::to_string(protocol::kMaxFrameTexts) +
               " of one frame");
  }
  const bool enclosed = message->text_bytes <= protocol::kMaxFrameTextBytes;
  if (packet.fds.size() != (enclosed ? 1U : 0U)) {
    return Lie("frame text: wrong number of descriptors");
  }
  FrameText told{message->sequence, message->of_sound != 0, message->text_bytes, {}};
  if (enclosed) {
    auto text = protocol::ReadTextFd(std::move(packet.fds[0]), message->text_bytes);
    if (!text) return Lie("frame text: " + text.error().message);
    told.text = std::move(*text);
  }
  return std::optional<Event>(std::move(told));
}

WorkerClient::Impl::MaybeEvent WorkerClient::Impl::OnCompleted(const Packet& packet) {
  auto message = Decode<protocol::Completed>(packet.bytes);
  if (!message) return Lie(message.error().message);
  if (auto fine = CheckCompleted(*message); !fine) return fine.error();
  if (auto fine = protocol::CheckErrorText(message->error); !fine) {
    return Lie("completed: " + fine.error().message);
  }
  in_flight_.erase(message->sequence);
  return std::optional<Event>(*message);
}

Status WorkerClient::Impl::CheckCompleted(const Completed& message) const {
  const auto entry = in_flight_.find(message.sequence);
  if (entry == in_flight_.end()) {
    return Lie("completed: sequence " + std::to_string(message.sequence) +
               " is unknown or was answered before");
  }
  // Frames in flight are always of the attached generation: Attach waits for their answers.
  if (message.generation != generation_) return Lie("completed: generation is another");
  if (message.output_slot != entry->second.output_slot) {
    return Lie("completed: output slot is another than the submitted one");
  }
  // Messages are handled and answered in order, so it can be no other.
  if (message.revision != revision_) {
    return Lie("completed: revision " + std::to_string(message.revision) + " instead of " +
               std::to_string(revision_));
  }
  return CheckOutput(message);
}

Status WorkerClient::Impl::CheckOutput(const Completed& message) const {
  if (message.outcome == FrameOutcome::kFailed) return {};
  if (message.outcome != FrameOutcome::kCompleted &&
      message.outcome != FrameOutcome::kOutputTooLarge) {
    return Lie("completed: outcome is unknown");
  }
  if (!IsPicture(message.output_width, message.output_height)) {
    return Lie("completed: " + OutOfRange(message.output_width, message.output_height));
  }
  const bool fits =
      protocol::FrameBytes(attached_->attach().format, message.output_width,
                           message.output_height) <= attached_->attach().output_slot_bytes;
  if (fits != (message.outcome == FrameOutcome::kCompleted)) {
    return Lie("completed: output size contradicts the outcome");
  }
  return {};
}

std::chrono::nanoseconds WorkerClient::Impl::HeartbeatAge() {
  auto* page = reinterpret_cast<protocol::ControlPage*>(page_.bytes().data());
  const std::uint64_t beat =
      std::atomic_ref<std::uint64_t>(page->heartbeat).load(std::memory_order_relaxed);
  const SteadyTime now = clock_.Now();
  if (std::exchange(last_beat_, beat) != beat) beat_changed_ = now;
  return now - beat_changed_;
}

WorkerClient::WorkerClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkerClient::~WorkerClient() = default;

Result<std::unique_ptr<WorkerClient>> WorkerClient::Greet(PacketSocket socket, const Clock& clock) {
  auto page = protocol::SharedMemory::Create("framelock-control", protocol::kControlPageBytes);
  if (!page) return page.error();
  auto impl = std::make_unique<Impl>(std::move(socket), std::move(*page), clock);
  if (auto sent = impl->Greet(); !sent) return sent.error();
  return std::unique_ptr<WorkerClient>(new WorkerClient(std::move(impl)));
}

int WorkerClient::fd() const { return impl_->socket_.fd(); }

Status WorkerClient::SetPrompt(std::uint64_t revision, std::string_view json,
                               std::string_view settings) {
  return impl_->SetPrompt(revision, json, settings);
}

Status WorkerClient::Attach(const protocol::RegionLayout& layout,
                            const protocol::SharedMemory& region) {
  return impl_->Attach(layout, region);
}

Status WorkerClient::Submit(FrameSequence sequence, std::uint32_t input_slot,
                            std::uint32_t output_slot) {
  return impl_->Submit(sequence, input_slot, output_slot);
}

Status WorkerClient::SubmitAudio(std::uint64_t sequence, std::uint32_t sample_rate,
                                 std::span<const std::int16_t> samples) {
  return impl_->SubmitAudio(sequence, sample_rate, samples);
}

Status WorkerClient::Stop() { return impl_->Send(protocol::Stop{}); }

Result<std::optional<WorkerClient::Event>> WorkerClient::Receive() { return impl_->Receive(); }
std::chrono::nanoseconds WorkerClient::HeartbeatAge() { return impl_->HeartbeatAge(); }
bool WorkerClient::ready() const { return impl_->ready_ && !impl_->gone_; }
std::int32_t WorkerClient::pid() const { return impl_->pid_; }
std::uint64_t WorkerClient::revision() const { return impl_->revision_; }
std::size_t WorkerClient::frames_in_flight() const { return impl_->in_flight_.size(); }
bool WorkerClient::Takes(std::string_view settings) const { return impl_->Takes(settings); }

PacketSocket WorkerClient::Release() {
  impl_->gone_ = Error{ErrorCode::kClosed, "the worker's socket was given away"};
  return std::move(impl_->socket_);
}

}  // namespace framelock::host
