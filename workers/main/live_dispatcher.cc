// SPDX-License-Identifier: Apache-2.0
#include "workers/main/live_dispatcher.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <utility>

#include "pipeline/core/log.h"
#include "workers/main/guarded.h"
#include "workers/main/load_prompt.h"
#include "workers/main/rehearsal.h"
#include "workers/protocol/error_text.h"
#include "workers/protocol/message_codec.h"

namespace framelock::worker {

namespace {

using protocol::MessageType;

// A frame that FaultWrongSequence asked for is answered under a number this far off.
constexpr std::uint64_t kWrongSequenceOffset = 1'000'000;

Status CheckSlot(const char* side, std::uint32_t slot, std::uint32_t slots) {
  if (slot < slots) return {};
  return Error{ErrorCode::kProtocol, std::string(side) + " slot " + std::to_string(slot) +
                                         " does not exist: the region has 0 to " +
                                         std::to_string(slots - 1)};
}

Status NeedFds(const PacketSocket::Packet& packet, std::size_t count) {
  if (packet.fds.size() == count) return {};
  return Error{ErrorCode::kProtocol, "message carries " + std::to_string(packet.fds.size()) +
                                         " descriptors instead of " + std::to_string(count)};
}

}  // namespace

LiveDispatcher::LiveDispatcher(PromptLoader& loader, Outlet outlet)
    : loader_(loader), outlet_(std::move(outlet)) {}

Result<LiveDispatcher::Next> LiveDispatcher::Handle(Packet packet) {
  const auto type = protocol::PeekType(packet.bytes);
  if (!type) return Error{ErrorCode::kProtocol, "message has no type"};
  if (!greeted_ && *type != MessageType::kHello) {
    return Error{ErrorCode::kProtocol, "message before Hello"};
  }
  const bool carries_fd = *type == MessageType::kHello || *type == MessageType::kConfigure ||
                          *type == MessageType::kSetPrompt || *type == MessageType::kAttach ||
                          *type == MessageType::kSubmitAudio || *type == MessageType::kAddHost;
  if (auto fine = NeedFds(packet, carries_fd ? 1 : 0); !fine) return fine.error();
  Status handled;
  switch (*type) {
    case MessageType::kHello:
      handled = OnHello(std::move(packet));
      break;
    case MessageType::kConfigure:
      handled = OnConfigure(std::move(packet));
      break;
    case MessageType::kSetPrompt:
      handled = OnSetPrompt(std::move(packet));
      break;
    case MessageType::kAttach:
      handled = OnAttach(std::move(packet));
      break;
    case MessageType::kSubmit:
      handled = OnSubmit(packet);
      break;
    case MessageType::kSubmitAudio:
      handled = OnSubmitAudio(std::move(packet));
      break;
    case MessageType::kAddHost:
      handled = OnAddHost(std::move(packet));
      break;
    case MessageType::kStop:
      if (auto stop = protocol::Decode<protocol::Stop>(packet.bytes); !stop) return stop.error();
      return Next::kStop;
    default:
      handled = Error{ErrorCode::kProtocol, "message has the unknown type " +
                                                std::to_string(static_cast<std::uint32_t>(*type))};
  }
  if (!handled) return handled.error();
  return Next::kContinue;
}

template <typename Message>
Status LiveDispatcher::Send(const Message& message, std::span<const int> fds) {
  return outlet_.send(protocol::Encode(message), fds);
}

Status LiveDispatcher::OnHello(Packet packet) {
  auto hello = protocol::Decode<protocol::Hello>(packet.bytes);
  if (!hello) return hello.error();
  protocol::Welcome welcome;
  welcome.pid = ::getpid();
  welcome.greeting = hello->greeting;
  welcome.revision = revision_;
  if (hello->version != protocol::kVersion) {
    // The host learns our version from the Welcome before it loses us.
    if (auto sent = Send(welcome); !sent) return sent;
    return Error{ErrorCode::kProtocol, "the host speaks version " + std::to_string(hello->version) +
                                           " instead of " + std::to_string(protocol::kVersion)};
  }
  auto page = protocol::SharedMemory::Map(std::move(packet.fds[0]), protocol::kControlPageBytes);
  if (!page) return page.error();
  auto* control = reinterpret_cast<protocol::ControlPage*>(page->bytes().data());
  std::atomic_ref<std::uint64_t>(control->abilities)
      .store(protocol::kTakesConfigure, std::memory_order_relaxed);
  texts_wanted_ =
      (std::atomic_ref<std::uint64_t>(control->host_abilities).load(std::memory_order_relaxed) &
       protocol::kTakesFrameText) != 0;
  outlet_.use_control_page(std::move(*page));
  greeted_ = true;
  region_.reset();
  last_generation_ = 0;
  last_revision_ = revision_;  // all that the new host knows of
  if (loading_ == Loading::kWanted) loading_ = Loading::kForgotten;
  next_.reset();
  settings_ = "{}";
  return Send(welcome);
}

Status LiveDispatcher::OnConfigure(Packet packet) {
  auto message = protocol::Decode<protocol::Configure>(packet.bytes);
  if (!message) return message.error();
  auto text = protocol::ReadTextFd(std::move(packet.fds[0]), message->text_bytes);
  if (!text) return text.error();
  settings_ = std::move(*text);
  return {};
}

Status LiveDispatcher::OnSetPrompt(Packet packet) {
  auto message = protocol::Decode<protocol::SetPrompt>(packet.bytes);
  if (!message) return message.error();
  auto text = protocol::ReadTextFd(std::move(packet.fds[0]), message->text_bytes);
  if (!text) return text.error();
  const std::uint64_t revision = message->revision;
  if (revision <= last_revision_) {
    return Reject(revision, ErrorDocument("stale_revision", "revision " + std::to_string(revision) +
                                                                " is not newer than revision " +
                                                                std::to_string(last_revision_)));
  }
  if (next_) return Error{ErrorCode::kProtocol, "a third prompt before the first was answered"};
  last_revision_ = revision;
  next_.emplace();
  next_->revision = revision;
  next_->json = std::move(*text);
  next_->settings = settings_;
  if (loading_ == Loading::kNothing) Load(std::move(*std::exchange(next_, std::nullopt)));
  return {};
}

void LiveDispatcher::Load(PromptLoader::Job job) {
  if (region_) job.frame = InputShape();
  loading_ = Loading::kWanted;
  loader_.Start(std::move(job));
}

Status LiveDispatcher::MoveOn() {
  auto loaded = loader_.Take();
  if (!loaded) return {};
  const bool forgotten = std::exchange(loading_, Loading::kNothing) == Loading::kForgotten;
  const bool new_region = region_ && loaded->frame != InputShape();
  if (!forgotten && loaded->session && new_region) {
    PromptLoader::Job again;
    again.revision = loaded->revision;
    again.session = std::move(loaded->session);
    Load(std::move(again));
    return {};
  }
  Status said;
  if (forgotten) {
    loader_.Discard(std::move(loaded->session));
  } else if (loaded->session) {
    said = Adopt(std::move(*loaded));
  } else {
    said = Reject(loaded->revision, std::move(loaded->errors_json));
  }
  if (next_) Load(std::move(*std::exchange(next_, std::nullopt)));
  return said;
}

Status LiveDispatcher::Adopt(PromptLoader::Loaded loaded) {
  loader_.Discard(std::exchange(session_, std::move(loaded.session)));
  revision_ = loaded.revision;
  spdlog::info("prompt applied revision={}", revision_);
  protocol::PromptApplied applied;
  applied.revision = revision_;
  applied.audio_ms = AudioMs();
  if (region_) {
    applied.output_width = loaded.output.width;
    applied.output_height = loaded.output.height;
  }
  return Send(applied);
}

Status LiveDispatcher::Reject(std::uint64_t revision, std::string errors_json) {
  spdlog::info("prompt rejected revision={}", revision);
  if (errors_json.size() > protocol::kMaxTextBytes) {
    errors_json =
        ErrorDocument("too_many_errors", "the list of errors exceeds the limit of a text");
  }
  auto fd = protocol::MakeTextFd(errors_json);
  if (!fd) return fd.error();
  protocol::PromptRejected rejected;
  rejected.revision = revision;
  rejected.text_bytes = errors_json.size();
  return Send(rejected, std::array<int, 1>{fd->get()});
}

Status LiveDispatcher::OnAttach(Packet packet) {
  auto message = protocol::Decode<protocol::Attach>(packet.bytes);
  if (!message) return message.error();
  protocol::Attached answer;
  answer.generation = message->generation;
  region_.reset();
  auto region = TryAttach(*message, std::move(packet.fds[0]));
  if (!region) {
    spdlog::warn("region refused: {}", region.error().message);
    return Send(answer);
  }
  region_.emplace(std::move(*region));
  last_generation_ = message->generation;
  auto shape = InputShape();
  if (session_) shape = Rehearse(*session_, shape, {.most = 1});
  answer.output_width = shape.width;
  answer.output_height = shape.height;
  answer.audio_ms = AudioMs();
  return Send(answer);
}

Result<LiveDispatcher::Region> LiveDispatcher::TryAttach(const protocol::Attach& message,
                                                         UniqueFd fd) const {
  if (message.generation <= last_generation_) {
    return Error{ErrorCode::kProtocol, "attach: generation is not newer than the last one"};
  }
  auto layout = protocol::RegionLayout::FromAttach(message);
  if (!layout) return layout.error();
  auto memory = protocol::SharedMemory::Map(std::move(fd), message.region_bytes);
  if (!memory) return memory.error();
  return Region{.layout = *layout, .memory = std::move(*memory)};
}

graph::Session::Shape LiveDispatcher::InputShape() const {
  const auto& attach = region_->layout.attach();
  return {.width = attach.width,
          .height = attach.height,
          .channels = protocol::BytesPerPixel(attach.format)};
}

Status LiveDispatcher::OnSubmit(const Packet& packet) {
  const auto start = std::chrono::steady_clock::now();
  auto message = protocol::Decode<protocol::Submit>(packet.bytes);
  if (!message) return message.error();
  protocol::Completed answer;
  answer.sequence = message->sequence;
  answer.generation = message->generation;
  answer.output_slot = message->output_slot;
  answer.revision = revision_;
  if (auto run = RunFrame(*message, answer); !run) {
    answer.outcome = protocol::FrameOutcome::kFailed;
    answer.output_width = 0;
    answer.output_height = 0;
    protocol::StoreErrorText(run.error().message, answer.error);
  } else if (answer.outcome == protocol::FrameOutcome::kCompleted) {
    OfferTexts(message->sequence);
  }
  if (session_ && std::exchange(session_->fault_hooks().wrong_sequence, false)) {
    answer.sequence += kWrongSequenceOffset;
  }
  answer.service_ns = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  return Send(answer);
}

Status LiveDispatcher::RunFrame(const protocol::Submit& message, protocol::Completed& answer) {
  if (!region_ || message.generation != last_generation_) {
    return Error{ErrorCode::kProtocol,
                 "no region of generation " + std::to_string(message.generation)};
  }
  if (!session_) return Error{ErrorCode::kUnavailable, "no prompt is set"};
  const auto& attach = region_->layout.attach();
  if (Status exists = CheckSlot("input", message.input_slot, attach.input_slots); !exists) {
    return exists;
  }
  if (Status exists = CheckSlot("output", message.output_slot, attach.output_slots); !exists) {
    return exists;
  }
  const auto bytes = region_->memory.bytes();
  const graph::Session::InputFrame input{
      .bytes =
          bytes.subspan(region_->layout.input_offset(message.input_slot), attach.input_slot_bytes),
      .shape = InputShape(),
      .stride = attach.stride};
  auto shape = Guarded([&] { return session_->Run(input); });
  if (!shape) return shape.error();
  if (!IsPicture(*shape)) return Error{ErrorCode::kResourceLimit, OutOfRange(*shape)};
  answer.output_width = shape->width;
  answer.output_height = shape->height;
  if (protocol::FrameBytes(attach.format, shape->width, shape->height) > attach.output_slot_bytes) {
    answer.outcome = protocol::FrameOutcome::kOutputTooLarge;
    return {};
  }
  const graph::Session::OutputFrame output{
      .bytes = bytes.subspan(region_->layout.output_offset(message.output_slot),
                             attach.output_slot_bytes),
      .channels = protocol::BytesPerPixel(attach.format),
      .stride = protocol::RowBytes(attach.format, shape->width)};
  return Guarded([&] { return session_->WriteOutput(output); });
}

// What the graph said of the last frame. A frame does not wait for them, nor fail by them.
void LiveDispatcher::OfferTexts(std::uint64_t sequence) {
  if (!texts_wanted_) return;
  std::uint32_t count = 0;
  const auto offer = [&](std::string_view text, bool of_sound) {
    const Status offered = ++count > protocol::kMaxFrameTexts
                               ? Error{ErrorCode::kResourceLimit, "too many of one frame"}
                               : OfferText(sequence, text, of_sound);
    // Of many a few.
    if (!offered && std::has_single_bit(++lost_texts_)) {
      spdlog::warn("{} texts are lost: {}", lost_texts_, offered.error().message);
    }
  };
  for (const std::string_view text : session_->texts()) offer(text, false);
  for (const std::string& text : session_->TakeSoundTexts()) offer(text, true);
}

Status LiveDispatcher::OfferText(std::uint64_t sequence, std::string_view text, bool of_sound) {
  protocol::FrameText message;
  message.sequence = sequence;
  message.of_sound = of_sound ? 1 : 0;
  message.text_bytes = text.size();
  if (text.size() > protocol::kMaxFrameTextBytes) {
    return outlet_.offer(protocol::Encode(message), {});
  }
  auto fd = protocol::MakeTextFd(text);
  if (!fd) return fd.error();
  return outlet_.offer(protocol::Encode(message), std::array{fd->get()});
}

std::uint32_t LiveDispatcher::AudioMs() const {
  return session_ ? static_cast<std::uint32_t>(session_->audio_length().count()) : 0;
}

Status LiveDispatcher::OnSubmitAudio(Packet packet) {
  const auto start = std::chrono::steady_clock::now();
  auto message = protocol::Decode<protocol::SubmitAudio>(packet.bytes);
  if (!message) return message.error();
  auto samples = protocol::ReadSamples(std::move(packet.fds[0]), message->samples);
  if (!samples) return samples.error();
  protocol::AudioCompleted answer;
  answer.sequence = message->sequence;
  answer.revision = revision_;
  auto made = RunAudio({.samples = *samples, .sample_rate = message->sample_rate});
  Result<UniqueFd> fd = UniqueFd();
  if (made && !made->empty()) {
    fd = protocol::MakeSamplesFd(*made);
    if (fd) answer.samples = static_cast<std::uint32_t>(made->size());
  }
  if (!made || !fd) {
    answer.outcome = protocol::FrameOutcome::kFailed;
    protocol::StoreErrorText((made ? fd.error() : made.error()).message, answer.error);
    fd = UniqueFd();
  }
  answer.service_ns = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  const std::array<int, 1> fds{fd->get()};
  return Send(answer, std::span<const int>(fds).first(*fd ? 1 : 0));
}

Result<std::span<const std::int16_t>> LiveDispatcher::RunAudio(
    const graph::Session::AudioPiece& piece) {
  if (!session_) return Error{ErrorCode::kUnavailable, "no prompt is set"};
  if (piece.sample_rate < protocol::kMinSampleRate ||
      piece.sample_rate > protocol::kMaxSampleRate) {
    return Error{ErrorCode::kInvalidArgument,
                 "sample rate " + std::to_string(piece.sample_rate) + " is out of range"};
  }
  return Guarded([&] { return session_->RunAudio(piece); });
}

Status LiveDispatcher::OnAddHost(Packet packet) {
  auto message = protocol::Decode<protocol::AddHost>(packet.bytes);
  if (!message) return message.error();
  if (!outlet_.add_host) {
    return Error{ErrorCode::kProtocol, "add host: this host may not bring others"};
  }
  protocol::HostAdded answer;
  auto hosts = outlet_.add_host(std::move(packet.fds[0]));
  if (hosts) {
    answer.hosts = *hosts;
  } else {
    spdlog::warn("host refused: {}", hosts.error().message);
  }
  return Send(answer);
}

}  // namespace framelock::worker
