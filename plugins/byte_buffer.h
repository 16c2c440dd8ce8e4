// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <span>
#include <vector>

namespace framelock::plugins {

/// A read-only buffer around `bytes`, without a copy. The caller owns the buffer.
GstBuffer* WrapBytes(std::vector<std::byte> bytes);

/// A buffer's bytes, mapped for reading while this lives.
class MappedBytes {
 public:
  explicit MappedBytes(GstBuffer* buffer)
      : buffer_(gst_buffer_map(buffer, &map_, GST_MAP_READ) != FALSE ? buffer : nullptr) {}
  ~MappedBytes() {
    if (buffer_ != nullptr) gst_buffer_unmap(buffer_, &map_);
  }
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;

  [[nodiscard]] bool ok() const { return buffer_ != nullptr; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(map_.data), map_.size};
  }

 private:
  GstMapInfo map_{};
  GstBuffer* buffer_;
};

}  // namespace framelock::plugins
