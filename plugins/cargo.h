// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace framelock::plugins {

/// An object of the media framework (a buffer, an event, caps) that our logic carries, keeps and
/// gives back but never opens. Owned; released by its own deleter. So the logic needs no GStreamer
/// and its tests need no pipeline.
using Cargo = std::unique_ptr<void, void (*)(void*)>;

inline Cargo NoCargo() {
  return Cargo(nullptr, [](void*) {});
}

}  // namespace framelock::plugins
