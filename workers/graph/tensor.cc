// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/tensor.h"

#include <algorithm>
#include <new>

namespace framelock::graph {

namespace {

// A cache line, and the widest vector register.
constexpr std::uint64_t kAlignment = 64;

std::shared_ptr<float[]> AllocateFloats(std::uint64_t bytes) {
  void* memory = ::operator new (bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) {
    return nullptr;
  }
  return {static_cast<float*>(memory),
          [](float* floats) { ::operator delete (floats, std::align_val_t{kAlignment}); }};
}

// Without pixels, the sides would be free to send whoever walks along them on a way without end.
TensorShape WithoutZeros(TensorShape shape) {
  for (std::uint32_t* side : {&shape.batch, &shape.height, &shape.width, &shape.channels}) {
    *side = std::max(*side, 1U);
  }
  return shape;
}

}  // namespace

std::optional<std::uint64_t> TensorShape::Elements() const {
  std::int64_t count = batch;
  for (const std::int64_t factor : {height, width, channels}) {
    if (__builtin_mul_overflow(count, factor, &count)) {
      return std::nullopt;
    }
  }
  return static_cast<std::uint64_t>(count);
}

std::string TensorShape::ToString() const {
  std::string text = "[";
  text += std::to_string(batch) + ", " + std::to_string(height) + ", " + std::to_string(width);
  if (layout == TensorLayout::kImage) {
    text += ", ";
    text += std::to_string(channels);
  }
  return text += "]";
}

Result<Tensor> TensorPool::Allocate(const TensorShape& shape) {
  const std::optional<std::uint64_t> elements = shape.Elements();
  const std::optional<std::uint64_t> counted = WithoutZeros(shape).Elements();
  if (!elements || !counted || *counted > max_bytes_ / sizeof(float)) {
    return Error{ErrorCode::kResourceLimit, "a tensor of shape " + shape.ToString() +
                                                " exceeds the limit of " +
                                                std::to_string(max_bytes_) + " bytes"};
  }
  const std::uint64_t rounded =
      (*elements * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  const std::uint64_t bytes = std::max(rounded, kAlignment);
  if (const Buffer* buffer = FindUnused(bytes)) {
    return Tensor(shape, buffer->floats);
  }
  if (bytes > max_bytes_ || bytes_ > max_bytes_ - bytes) {
    Trim();
  }
  std::shared_ptr<float[]> floats;
  if (bytes <= max_bytes_ && bytes_ <= max_bytes_ - bytes) {
    floats = AllocateFloats(bytes);
  }
  if (!floats) {
    return Error{ErrorCode::kResourceLimit, "no memory for a tensor of shape " + shape.ToString() +
                                                ": " + std::to_string(bytes_) + " of " +
                                                std::to_string(max_bytes_) + " bytes are in use"};
  }
  bytes_ += bytes;
  ++allocations_;
  buffers_.push_back({floats, bytes});
  return Tensor(shape, std::move(floats));
}

TensorPool::Buffer* TensorPool::FindUnused(std::uint64_t bytes) {
  // The smallest that fits, but none that would waste more than half of itself.
  Buffer* best = nullptr;
  for (Buffer& buffer : buffers_) {
    if (buffer.floats.use_count() == 1 && buffer.bytes >= bytes && buffer.bytes / 2 <= bytes &&
        (best == nullptr || buffer.bytes < best->bytes)) {
      best = &buffer;
    }
  }
  return best;
}

void TensorPool::Trim() {
  std::erase_if(buffers_, [this](const Buffer& buffer) {
    const bool unused = buffer.floats.use_count() == 1;
    bytes_ -= unused ? buffer.bytes : 0;
    return unused;
  });
}

}  // namespace framelock::graph
