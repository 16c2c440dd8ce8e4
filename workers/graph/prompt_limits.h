// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace framelock::graph {

/// Bounds of one prompt's text; whatever exceeds them is refused before anything is built from it.
struct PromptLimits {
  std::size_t max_bytes = 16U << 20;  // as protocol::kMaxTextBytes
  std::size_t max_depth = 64;         // nested arrays and objects
  std::size_t max_nodes = 4096;
  std::size_t max_id_bytes = 256;  // of a node: every error names some
  std::size_t max_members = 256;   // of any object but the prompt itself
  std::size_t max_array_items = 65536;
};

/// Bounds of a graph at work.
struct ExecutionLimits {
  std::uint64_t max_tensor_bytes = 4ULL << 30;  // all tensors of one session together
};

}  // namespace framelock::graph
