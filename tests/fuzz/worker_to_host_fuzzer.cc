// SPDX-License-Identifier: Apache-2.0
// A hostile worker against WorkerClient: whatever it sends, the client either reports an event that
// was due or ends the conversation.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "tests/fuzz/byte_reader.h"
#include "workers/host/frame_region.h"
#include "workers/host/worker_client.h"
#include "workers/protocol/message_codec.h"

namespace {

using namespace framelock;
using host::WorkerClient;

void Require(bool condition) {
  if (!condition) std::abort();
}

// A message that would be right, with some of its bytes changed.
template <typename Message>
void SendSpoiled(const PacketSocket& far, Message message, fuzz::ByteReader& input, int fd = -1) {
  std::array<std::byte, sizeof(Message)> bytes;
  std::memcpy(bytes.data(), &message, sizeof message);
  for (int i = input.Below(4); i > 0; --i) {
    bytes[input.Below(sizeof(Message))] = static_cast<std::byte>(input.Byte());
  }
  const std::array<int, 1> fds{fd};
  (void)far.Send(
      std::span(bytes).first(input.Chance(16) ? 1 + input.Below(sizeof(Message)) : sizeof(Message)),
      std::span<const int>(fds).first(fd >= 0 ? 1 : 0));
}

class Conversation {
 public:
  explicit Conversation(fuzz::ByteReader& input) : input_(input) {}

  void Run() {
    auto pair = PacketSocket::CreatePair();
    Require(pair.ok());
    far_ = std::move(pair->second);
    auto client = WorkerClient::Greet(std::move(pair->first));
    Require(client.ok());
    client_ = std::move(*client);
    auto packet = far_.Receive();
    Require(packet.ok() && packet->has_value());
    greeting_ = protocol::Decode<protocol::Hello>((*packet)->bytes)->greeting;
    for (int steps = 0; !input_.empty() && steps < 64; ++steps) Step();
  }

 private:
  void Step() {
    switch (input_.Below(13)) {
      case 0:
        return SendBytes();
      case 1:
        return SendSpoiled(far_, protocol::Welcome{.pid = 1, .greeting = greeting_}, input_);
      case 2:
        return SendSpoiled(far_, protocol::PromptApplied{.revision = revision_}, input_);
      case 3:
        return SendRejection();
      case 4:
        return SendSpoiled(
            far_,
            protocol::Attached{.generation = generation_, .output_width = 16, .output_height = 16},
            input_);
      case 5:
        return SendCompletion();
      case 6:
        if (client_->SetPrompt(revision_ + 1, "{}").ok()) ++revision_;
        return;
      case 7:
        return Attach();
      case 8:
        if (client_->Submit({sequence_ + 1}, 0, 0).ok()) in_flight_.insert(++sequence_);
        return;
      case 9:
        return SendText();
      case 10:
        return SubmitAudio();
      case 11:
        return SendSound();
      default:
        return Receive();
    }
  }

  void SendBytes() {
    const auto bytes = input_.Bytes(input_.Below(300));
    if (!bytes.empty()) (void)far_.Send(bytes);
  }

  void SendRejection() {
    const std::string text = "errors";
    auto fd = protocol::MakeTextFd(text);
    Require(fd.ok());
    SendSpoiled(far_, protocol::PromptRejected{.revision = revision_, .text_bytes = text.size()},
                input_, input_.Chance(8) ? -1 : fd->get());
  }

  void SendText() {
    const std::string text = "text";
    auto fd = protocol::MakeTextFd(text);
    Require(fd.ok());
    SendSpoiled(far_,
                protocol::FrameText{.sequence = in_flight_.empty() ? 1 : *in_flight_.begin(),
                                    .text_bytes = text.size()},
                input_, input_.Chance(8) ? -1 : fd->get());
  }

  void SubmitAudio() {
    const std::vector<std::int16_t> samples(3);
    if (client_->SubmitAudio(audio_ + 1, 8000, samples).ok()) ++audio_;
  }

  void SendSound() {
    const std::vector<std::int16_t> samples(3);
    auto fd = protocol::MakeSamplesFd(samples);
    Require(fd.ok());
    SendSpoiled(
        far_,
        protocol::AudioCompleted{.sequence = 1 + static_cast<std::uint64_t>(input_.Below(8)),
                                 .revision = client_->revision(),
                                 .samples = 3},
        input_, input_.Chance(8) ? -1 : fd->get());
  }

  void SendCompletion() {
    SendSpoiled(far_,
                protocol::Completed{.sequence = in_flight_.empty() ? 1 : *in_flight_.begin(),
                                    .generation = generation_,
                                    .revision = client_->revision(),
                                    .output_width = 16,
                                    .output_height = 16},
                input_);
  }

  void Attach() {
    auto region =
        host::FrameRegion::Create({.generation = generation_ + 1, .width = 16, .height = 16});
    Require(region.ok());
    if (client_->Attach((*region)->layout(), (*region)->memory()).ok()) ++generation_;
  }

  void Receive() {
    auto event = client_->Receive();
    if (!event.ok()) {
      Require(!client_->ready() && !client_->Receive().ok());
      return;
    }
    if (!event->has_value()) return;
    if (const auto* sound = std::get_if<WorkerClient::AudioCompleted>(&**event)) {
      Require(sound->sequence >= 1 && sound->sequence <= audio_);
      Require(sound->samples.empty() || (sound->samples.size() == 3 && !sound->error));
    }
    if (const auto* completed = std::get_if<protocol::Completed>(&**event)) {
      Require(in_flight_.erase(completed->sequence) == 1);
      Require(completed->output_slot == 0 && completed->generation == generation_);
      Require(completed->error.back() == '\0');
      if (completed->outcome == protocol::FrameOutcome::kCompleted) {
        Require(protocol::FrameBytes(protocol::PixelFormat::kRgb8, completed->output_width,
                                     completed->output_height) <= 4096);
      }
    }
    Require(client_->frames_in_flight() == in_flight_.size());
  }

  fuzz::ByteReader& input_;
  PacketSocket far_;
  std::unique_ptr<WorkerClient> client_;
  std::uint32_t greeting_ = 0;
  std::uint64_t revision_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t audio_ = 0;
  std::set<std::uint64_t> in_flight_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  framelock::fuzz::ByteReader input({bytes, size});
  Conversation(input).Run();
  return 0;
}
