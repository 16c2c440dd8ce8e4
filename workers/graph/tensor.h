// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::graph {

/// What the axes of a tensor mean: an IMAGE is batch, height, width, channels; a MASK has no
/// channel axis (channels is 1).
enum class TensorLayout : std::uint8_t { kImage, kMask };

struct TensorShape {
  std::uint32_t batch = 0;
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint32_t channels = 0;
  TensorLayout layout = TensorLayout::kImage;

  bool operator==(const TensorShape&) const = default;
  /// Number of floats; nullopt if it does not fit 63 bits.
  [[nodiscard]] std::optional<std::uint64_t> Elements() const;
  [[nodiscard]] std::size_t row() const { return std::size_t{width} * channels; }
  [[nodiscard]] std::size_t plane() const { return row() * height; }
  /// "[1, 24, 32, 3]", a mask "[1, 24, 32]".
  [[nodiscard]] std::string ToString() const;
};

/// Float32 pixels, rows packed. A handle: copies share the pixels, which live until the last handle
/// is gone and then go back to their pool. Handles of one pool stay on one thread.
class Tensor {
 public:
  Tensor() = default;

  [[nodiscard]] bool valid() const { return buffer_ != nullptr; }
  [[nodiscard]] const TensorShape& shape() const { return shape_; }
  [[nodiscard]] std::size_t size() const { return shape_.plane() * shape_.batch; }
  [[nodiscard]] const float* data() const { return buffer_.get(); }
  [[nodiscard]] std::span<const float> values() const { return {data(), size()}; }

  /// For whoever made the tensor, or knows by unique() that nobody else sees it.
  [[nodiscard]] float* mutable_data() { return buffer_.get(); }
  [[nodiscard]] bool unique() const { return buffer_.use_count() <= 2; }  // this and the pool

 private:
  friend class TensorPool;
  Tensor(const TensorShape& shape, std::shared_ptr<float[]> buffer)
      : shape_(shape), buffer_(std::move(buffer)) {}

  TensorShape shape_;
  // Shared because one node's output feeds many, and the last to finish is known only at run time.
  std::shared_ptr<float[]> buffer_;
};

/// Where tensors come from. Keeps every buffer and lends it again once no tensor uses it, so that a
/// frame like the one before allocates nothing. One thread; tensors may outlive the pool.
class TensorPool {
 public:
  explicit TensorPool(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  /// A tensor with undefined contents. kResourceLimit when all tensors together would exceed the
  /// bound; unused buffers are dropped first. A side of 0 counts as 1 here.
  Result<Tensor> Allocate(const TensorShape& shape);

  /// Drops the buffers that no tensor uses: after a change of prompt or frame size.
  void Trim();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t max_bytes() const { return max_bytes_; }
  /// How often memory had to be taken from the system; stands still once frames repeat.
  [[nodiscard]] std::uint64_t allocations() const { return allocations_; }

 private:
  struct Buffer {
    std::shared_ptr<float[]> floats;
    std::uint64_t bytes;
  };
  Buffer* FindUnused(std::uint64_t bytes);

  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::uint64_t allocations_ = 0;
  std::vector<Buffer> buffers_;
};

}  // namespace framelock::graph
