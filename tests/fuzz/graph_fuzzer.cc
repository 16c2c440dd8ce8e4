// SPDX-License-Identifier: Apache-2.0
// Random prompt to graph to execution: the bytes choose a prompt that the classes' specs allow, and
// what is then broken in it. The plan must compute what the prompt means, bit for bit.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <utility>

#include "tests/fuzz/byte_reader.h"
#include "tests/support/naive_executor.h"
#include "tests/support/random_prompt.h"
#include "workers/graph/executor.h"
#include "workers/nodes/builtin.h"

namespace framelock {
namespace {

constexpr std::uint64_t kPoolBytes = 4U << 20;
constexpr int kFrames = 3;

const graph::NodeRegistry& Registry() {
  static const graph::NodeRegistry kRegistry = std::move(*nodes::BuiltinNodes());
  return kRegistry;
}

[[noreturn]] void Fail(const graph::Json& made, const std::string& what) {
  std::cerr << what << "\n" << graph::DumpJson(made) << std::endl;
  std::abort();
}

graph::Tensor MakeFrame(graph::TensorPool& pool, int number) {
  const std::uint32_t width = number == 1 ? 5 : 8;
  graph::Tensor frame = *pool.Allocate({1, 6, width, 3});
  for (std::size_t i = 0; i < frame.size(); ++i) {
    frame.mutable_data()[i] = static_cast<float>((i * 37 + number) % 256) / 255.0F;
  }
  return frame;
}

// The two keep different values at a time, so one may meet the bound where the other does not.
bool IsAboutMemory(const std::string& text) { return text.find(" bytes") != std::string::npos; }

void Compare(const graph::Json& made, const graph::Prompt& prompt, const graph::Verdict& verdict) {
  test::NaiveExecutor naive(Registry(), prompt, verdict, kPoolBytes);
  graph::TensorPool pool(kPoolBytes);
  graph::TensorPool frames(kPoolBytes);
  graph::FaultHooks faults;
  graph::Executor executor(graph::Plan::Make(Registry(), prompt, verdict), pool, faults);
  const auto loading = executor.Load();
  for (int i = 0; i < kFrames; ++i) {
    const auto wanted = naive.Run(MakeFrame(frames, i));
    const auto failure =
        loading ? loading : executor.Run(MakeFrame(pool, i), graph::FrameUse::kShown);
    if ((failure && IsAboutMemory(failure->text)) || (!wanted && IsAboutMemory(naive.failure()))) {
      return;
    }
    if (failure.has_value() == wanted.has_value()) {
      Fail(made, failure ? failure->ToString() : naive.failure());
    }
    for (std::size_t sink = 0; wanted && sink < wanted->size(); ++sink) {
      const graph::Tensor& got = executor.result(sink);
      const graph::Tensor& right = (*wanted)[sink];
      if (got.valid() != right.valid() || got.shape() != right.shape() ||
          std::memcmp(got.data(), right.data(), right.size() * sizeof(float)) != 0) {
        Fail(made, "sink " + std::to_string(sink) + " differs");
      }
    }
  }
}

}  // namespace
}  // namespace framelock

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  framelock::fuzz::ByteReader bytes(std::span(data, size));
  const auto below = [&](std::size_t n) {
    return n < 2 ? std::size_t{0} : static_cast<std::size_t>(bytes.Below(static_cast<int>(n)));
  };
  framelock::test::RandomPrompt prompts(framelock::Registry(), below);
  const std::size_t damages = below(4);
  framelock::graph::Json made = prompts.Make(2 + below(10));
  for (std::size_t i = 0; i < damages; ++i) {
    prompts.Damage(made);
  }
  auto prompt = framelock::graph::Prompt::Parse(framelock::graph::DumpJson(made));
  if (!prompt.ok()) {
    return 0;
  }
  const framelock::graph::Verdict verdict =
      framelock::graph::Validate(framelock::Registry(), *prompt);
  if (verdict.valid) {
    framelock::Compare(made, *prompt, verdict);
  }
  return 0;
}
