// SPDX-License-Identifier: Apache-2.0
#include "workers/main/live_dispatcher.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/core/log.h"
#include "workers/protocol/error_text.h"
#include "workers/protocol/message_codec.h"

namespace framelock::worker {

namespace {

using protocol::MessageType;

// A frame that FaultWrongSequence asked for is answered under a number this far off.
constexpr std::uint64_t kWrongSequenceOffset = 1'000'000;

// Nodes are code that others write: whatever they throw ends here, as the frame's error.
template <typename Function>
auto Guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResourceLimit, "out of memory"};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, error.what()};
  } catch (...) {
    return Error{ErrorCode::kInternal, "unknown exception"};
  }
}

std::string ErrorDocument(const std::string& type, const std::string& message) {
  const nlohmann::json document = {{"error",
                                    {{"type", type},
                                     {"message", message},
                                     {"details", ""},
                                     {"extra_info", nlohmann::json::object()}}},
                                   {"node_errors", nlohmann::json::object()}};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool IsPicture(const graph::Session::Shape& shape) {
  return shape.width > 0 && shape.width <= protocol::kMaxDimension && shape.height > 0 &&
         shape.height <= protocol::kMaxDimension;
}

std::string OutOfRange(const graph::Session::Shape& shape) {
  return "output size " + std::to_string(shape.width) + "x" + std::to_string(shape.height) +
         " is out of range, 1x1 to " + std::to_string(protocol::kMaxDimension) + "x" +
         std::to_string(protocol::kMaxDimension);
}

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

LiveDispatcher::LiveDispatcher(graph::Session& session, Outlet outlet)
    : session_(session), outlet_(std::move(outlet)) {}

Result<LiveDispatcher::Next> LiveDispatcher::Handle(Packet packet) {
  const auto type = protocol::PeekType(packet.bytes);
  if (!type) return Error{ErrorCode::kProtocol, "message has no type"};
  if (!greeted_ && *type != MessageType::kHello) {
    return Error{ErrorCode::kProtocol, "message before Hello"};
  }
  const bool carries_fd = *type == MessageType::kHello || *type == MessageType::kSetPrompt ||
                          *type == MessageType::kAttach;
  if (auto fine = NeedFds(packet, carries_fd ? 1 : 0); !fine) return fine.error();
  Status handled;
  switch (*type) {
    case MessageType::kHello:
      handled = OnHello(std::move(packet));
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
  outlet_.use_control_page(std::move(*page));
  greeted_ = true;
  region_.reset();
  last_generation_ = 0;
  last_revision_ = revision_;  // all that the new host knows of
  return Send(welcome);
}

Status LiveDispatcher::OnSetPrompt(Packet packet) {
  auto message = protocol::Decode<protocol::SetPrompt>(packet.bytes);
  if (!message) return message.error();
  auto text = protocol::ReadTextFd(std::move(packet.fds[0]), message->text_bytes);
  if (!text) return text.error();
  if (auto errors = TryPrompt(message->revision, *text)) {
    spdlog::info("prompt rejected revision={}", message->revision);
    if (errors->size() > protocol::kMaxTextBytes) {
      errors = ErrorDocument("too_many_errors", "the list of errors exceeds the limit of a text");
    }
    auto fd = protocol::MakeTextFd(*errors);
    if (!fd) return fd.error();
    protocol::PromptRejected rejected;
    rejected.revision = message->revision;
    rejected.text_bytes = errors->size();
    return Send(rejected, std::array<int, 1>{fd->get()});
  }
  spdlog::info("prompt applied revision={}", message->revision);
  protocol::PromptApplied applied;
  applied.revision = revision_;
  if (region_) {
    const auto shape = OutputShape();
    applied.output_width = shape.width;
    applied.output_height = shape.height;
  }
  return Send(applied);
}

std::optional<std::string> LiveDispatcher::TryPrompt(std::uint64_t revision,
                                                     std::string_view json) {
  if (revision <= last_revision_) {
    return ErrorDocument("stale_revision", "revision " + std::to_string(revision) +
                                               " is not newer than revision " +
                                               std::to_string(last_revision_));
  }
  last_revision_ = revision;
  using Prepared = Result<std::optional<graph::Session::Rejected>>;
  auto prepared = Guarded([&]() -> Prepared { return session_.Prepare(json); });
  if (!prepared) return ErrorDocument("prompt_failed", prepared.error().message);
  if (prepared->has_value()) return std::move((*prepared)->errors_json);
  revision_ = revision;
  return std::nullopt;
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
  const auto shape = OutputShape();
  answer.output_width = shape.width;
  answer.output_height = shape.height;
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

graph::Session::Shape LiveDispatcher::OutputShape() {
  const auto input = InputShape();
  if (!session_.has_prompt()) return input;
  const auto shape = Guarded([&] { return session_.Probe(input); });
  if (shape && IsPicture(*shape)) return *shape;
  // No size to tell; each frame will say why in its own answer.
  spdlog::warn("dry run at {}x{} failed: {}", input.width, input.height,
               shape ? OutOfRange(*shape) : shape.error().message);
  return input;
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
    protocol::StoreErrorText(run.error().message, answer);
  }
  if (std::exchange(session_.fault_hooks().wrong_sequence, false)) {
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
  auto shape = Guarded([&] { return session_.Run(input); });
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
  return Guarded([&] { return session_.WriteOutput(output); });
}

}  // namespace framelock::worker
