// SPDX-License-Identifier: Apache-2.0
// Whatever a host sends, the worker's dispatcher answers it or calls the protocol broken.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/fuzz/byte_reader.h"
#include "tests/support/inline_loader.h"
#include "workers/main/live_dispatcher.h"
#include "workers/nodes/builtin.h"
#include "workers/protocol/message_codec.h"

namespace {

using namespace framelock;
using worker::LiveDispatcher;

constexpr std::uint64_t kSlotBytes = 4096;
constexpr std::array<const char*, 5> kPrompts = {
    R"({"1":{"class_type":"LoadTensor","inputs":{}},
        "2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},
        "3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}})",
    R"({"1":{"class_type":"LoadTensor","inputs":{}},
        "2":{"class_type":"ImageScale","inputs":{"image":["1",0],"upscale_method":"nearest-exact",
             "width":80,"height":60,"crop":"disabled"}},
        "3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}})",
    R"({"1":{"class_type":"LoadAudioTensor","inputs":{"buffer_size":20}},
        "2":{"class_type":"PitchShifter","inputs":{"audio":["1",0],"pitch_shift":4}},
        "3":{"class_type":"SaveAudioTensor","inputs":{"audio":["2",0]}}})",
    R"({"1":{"class_type":"LoadTensor","inputs":{}}})", "{"};

void Require(bool condition) {
  if (!condition) std::abort();
}

const graph::NodeRegistry& Registry() {
  static const auto registry = nodes::BuiltinNodes();
  Require(registry.ok());
  return *registry;
}

class Host {
 public:
  explicit Host(fuzz::ByteReader& input)
      : input_(input),
        loader_(Registry(), {.session = {.execution = {.max_tensor_bytes = 16U << 20}}}),
        dispatcher_(loader_, {.send = [this](auto bytes, auto fds) { return Take(bytes, fds); },
                              .offer = [](auto, auto) { return Status(); },
                              .use_control_page =
                                  [](const protocol::SharedMemory& page) {
                                    Require(page.bytes().size() == protocol::kControlPageBytes);
                                  }}) {}

  void Run() {
    for (int steps = 0; !input_.empty() && steps < 32; ++steps) {
      answers_ = 0;
      auto next = Step();
      Require(dispatcher_.MoveOn().ok());
      if (!next.ok()) {
        Require(next.error().code == ErrorCode::kProtocol);
        continue;  // the worker would exit; what follows must be harmless all the same
      }
      Require(answers_ == (*next == LiveDispatcher::Next::kStop || silent_ ? 0 : 1));
    }
  }

 private:
  Status Take(std::span<const std::byte> bytes, std::span<const int> fds) {
    ++answers_;
    const auto completed = protocol::Decode<protocol::Completed>(bytes);
    if (completed.ok()) {
      Require(fds.empty() && completed->error.back() == '\0');
      if (completed->outcome == protocol::FrameOutcome::kCompleted) {
        Require(protocol::FrameBytes(protocol::PixelFormat::kRgb8, completed->output_width,
                                     completed->output_height) <= 64 * kSlotBytes);
      }
    }
    return {};
  }

  Result<LiveDispatcher::Next> Step() {
    switch (input_.Below(9)) {
      case 0: {
        const auto bytes = input_.Bytes(input_.Below(300));
        PacketSocket::Packet packet{.bytes = {bytes.begin(), bytes.end()}};
        for (int i = input_.Below(3); i > 0; --i) packet.fds.push_back(AnyFd());
        return Hand(std::move(packet));
      }
      case 1:
        return Tell(protocol::Hello{}, Memory(protocol::kControlPageBytes));
      case 2:
        return TellPrompt();
      case 3:
        return Tell(AttachMessage(), Memory(3 * kSlotBytes));
      case 4:
        return TellSettings();
      case 7:
        return TellAudio();
      case 5:
      case 6:
        return Tell(protocol::Submit{.sequence = 1, .generation = generation_}, {});
      default:
        return Tell(protocol::Stop{}, {});
    }
  }

  // The message with some of its bytes changed, sometimes with another descriptor.
  template <typename Message>
  Result<LiveDispatcher::Next> Tell(Message message, UniqueFd fd) {
    PacketSocket::Packet packet;
    packet.bytes.resize(sizeof(Message));
    std::memcpy(packet.bytes.data(), &message, sizeof message);
    for (int i = input_.Below(4); i > 0; --i) {
      packet.bytes[input_.Below(sizeof(Message))] = static_cast<std::byte>(input_.Byte());
    }
    if (input_.Chance(16)) packet.bytes.resize(1 + input_.Below(sizeof(Message)));
    if (input_.Chance(8)) fd = AnyFd();
    if (fd) packet.fds.push_back(std::move(fd));
    return Hand(std::move(packet));
  }

  Result<LiveDispatcher::Next> Hand(PacketSocket::Packet packet) {
    silent_ = protocol::PeekType(packet.bytes) == protocol::MessageType::kConfigure;
    return dispatcher_.Handle(std::move(packet));
  }

  Result<LiveDispatcher::Next> TellPrompt() {
    std::string text = kPrompts[input_.Below(kPrompts.size())];
    for (int i = input_.Below(3); i > 0; --i) {
      text[input_.Below(static_cast<int>(text.size()))] = static_cast<char>(input_.Byte());
    }
    auto fd = protocol::MakeTextFd(text);
    Require(fd.ok());
    return Tell(protocol::SetPrompt{.revision = ++revision_, .text_bytes = text.size()},
                std::move(*fd));
  }

  Result<LiveDispatcher::Next> TellSettings() {
    std::string text = R"({"cwd":"/","gpu_only":true})";
    text[input_.Below(static_cast<int>(text.size()))] = static_cast<char>(input_.Byte());
    auto fd = protocol::MakeTextFd(text);
    Require(fd.ok());
    return Tell(protocol::Configure{.text_bytes = text.size()}, std::move(*fd));
  }

  Result<LiveDispatcher::Next> TellAudio() {
    const std::vector<std::int16_t> samples(1 + static_cast<std::size_t>(input_.Below(3000)), 99);
    auto fd = protocol::MakeSamplesFd(samples);
    Require(fd.ok());
    return Tell(protocol::SubmitAudio{.sample_rate = 8000,
                                      .sequence = 1,
                                      .samples = static_cast<std::uint32_t>(samples.size())},
                std::move(*fd));
  }

  protocol::Attach AttachMessage() {
    return {.generation = ++generation_,
            .region_bytes = 3 * kSlotBytes,
            .input_slot_bytes = kSlotBytes,
            .output_slot_bytes = kSlotBytes,
            .input_slots = 1,
            .output_slots = 2,
            .width = 32,
            .height = 24,
            .stride = 96};
  }

  UniqueFd AnyFd() {
    if (input_.Chance(2)) return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    return Memory((1 + input_.Below(16)) * kSlotBytes);
  }

  static UniqueFd Memory(std::uint64_t bytes) {
    auto memory = protocol::SharedMemory::Create("fuzz", bytes);
    Require(memory.ok());
    return UniqueFd(::fcntl(memory->fd(), F_DUPFD_CLOEXEC, 0));
  }

  fuzz::ByteReader& input_;
  worker::InlineLoader loader_;
  LiveDispatcher dispatcher_;
  int answers_ = 0;
  bool silent_ = false;  // what was said last has no answer
  std::uint64_t revision_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::ByteReader input({bytes, size});
  Host(input).Run();
  return 0;
}
