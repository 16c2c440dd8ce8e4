// SPDX-License-Identifier: Apache-2.0
#include "plugins/byte_buffer.h"

#include <utility>

namespace framelock::plugins {

GstBuffer* WrapBytes(std::vector<std::byte> bytes) {
  auto* owner = new std::vector<std::byte>(std::move(bytes));
  return gst_buffer_new_wrapped_full(
      GST_MEMORY_FLAG_READONLY, owner->data(), owner->size(), 0, owner->size(), owner,
      [](gpointer data) { delete static_cast<std::vector<std::byte>*>(data); });
}

}  // namespace framelock::plugins
