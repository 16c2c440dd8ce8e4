// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "pipeline/core/result.h"
#include "plugins/stream_model.h"

namespace framelock::plugins {

/// What source and sink elements have in common: a location, options, and a client while they run.
/// Any thread.
template <typename Model>
class StreamElement {
 public:
  using Client = typename Model::Client;
  // Property numbers; options follow from kFirstOption on.
  enum : guint { kLocation = 1, kStats, kCaps, kFirstOption };

  explicit StreamElement(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  Status Start() {
    const std::lock_guard lock(mutex_);
    last_stats_.reset();
    auto client = model_->Open(location_);
    if (!client) return client.error();
    client_ = std::move(*client);
    return {};
  }
  void Stop() {
    std::shared_ptr<Client> ended;  // joins its thread, so not under the lock
    const std::lock_guard lock(mutex_);
    ended = std::move(client_);
    if (ended) last_stats_.reset(ended->Stats());
  }
  /// Null unless started.
  std::shared_ptr<Client> Running() {
    const std::lock_guard lock(mutex_);
    return client_;
  }
  void Interrupt() {
    if (const auto client = Running()) client->Interrupt();
  }
  void Resume() {
    if (const auto client = Running()) client->Resume();
  }
  /// Of this run, or else of the last one; the caller owns them.
  GstStructure* Stats() {
    const std::lock_guard lock(mutex_);
    if (client_) return client_->Stats();
    return last_stats_ ? gst_structure_copy(last_stats_.get()) : model_->NoStats();
  }
  /// Calls `use` with the model, under the lock.
  template <typename Use>
  auto WithModel(Use use) {
    const std::lock_guard lock(mutex_);
    return use(std::as_const(*model_));
  }

  /// False: no such property.
  bool SetProperty(guint id, const GValue* value) {
    const std::lock_guard lock(mutex_);
    if (id >= kFirstOption) return model_->SetOption(id - kFirstOption, value);
    if (id != kLocation) return false;
    const gchar* location = g_value_get_string(value);
    location_ = location == nullptr ? "" : location;
    return true;
  }
  bool GetProperty(guint id, GValue* value) {
    const std::lock_guard lock(mutex_);
    if (id >= kFirstOption) return model_->GetOption(id - kFirstOption, value);
    if (id != kLocation) return false;
    g_value_set_string(value, location_.empty() ? nullptr : location_.c_str());
    return true;
  }

 private:
  struct FreeStructure {
    void operator()(GstStructure* structure) const { gst_structure_free(structure); }
  };

  std::mutex mutex_;
  const std::unique_ptr<Model> model_;
  std::string location_;
  std::shared_ptr<Client> client_;  // while started
  std::unique_ptr<GstStructure, FreeStructure> last_stats_;
};

/// How an element presents itself to gst-inspect-1.0.
struct StreamTexts {
  const char* name;
  const char* description;
  const char* location;
  const char* stats;
};

/// Installs the two properties that every such element has.
void InstallStreamProperties(GObjectClass* klass, const StreamTexts& texts);

}  // namespace framelock::plugins
