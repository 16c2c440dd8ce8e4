// SPDX-License-Identifier: Apache-2.0
// Prompt text to graph to execution: any text, through parsing, conversion, validation, planning
// and one tiny frame. Memory is bounded by the session's own limits.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/graph/json.h"
#include "workers/graph/prompt.h"
#include "workers/graph/session.h"
#include "workers/graph/validate.h"
#include "workers/nodes/builtin.h"

namespace framelock {
namespace {

const graph::NodeRegistry& Registry() {
  static const graph::NodeRegistry kRegistry = std::move(*nodes::BuiltinNodes());
  return kRegistry;
}

// Without conversion, with Python's non-finite numbers: the offline path.
void Judge(std::string_view text) {
  Result<graph::Prompt> prompt = graph::Prompt::Parse(text, {}, graph::NonFinite::kAccept);
  if (prompt.ok()) {
    graph::DumpJson(graph::Validate(Registry(), *prompt).ToJson());
  }
}

void Run(std::string_view text) {
  graph::SessionOptions options;
  options.execution.max_tensor_bytes = 8U << 20;
  auto session = std::move(*graph::Session::Create(Registry(), options));
  if (const auto rejected = session->Prepare(text)) {
    // Whatever is refused is refused in JSON.
    if (!graph::Json::accept(rejected->errors_json)) {
      std::abort();
    }
    return;
  }
  std::array<std::byte, std::size_t{5} * 4 * 3> frame;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    frame[i] = static_cast<std::byte>(i * 37);
  }
  for (int i = 0; i < 2; ++i) {
    const auto shape = session->Run({.bytes = frame, .shape = {5, 4, 3}, .stride = 15});
    if (!shape.ok()) {
      continue;
    }
    const std::size_t row = std::size_t{shape->width} * 3;
    std::vector<std::byte> out(row * shape->height);
    if (!session->WriteOutput({.bytes = out, .channels = 3, .stride = row}).ok()) {
      std::abort();
    }
  }
}

}  // namespace
}  // namespace framelock

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  framelock::Judge(text);
  framelock::Run(text);
  return 0;
}
