// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "pipeline/core/result.h"
#include "plugins/location_uri.h"
#include "plugins/option_property.h"

namespace framelock::plugins {

/// A network client as its element sees it, from start to stop. Any thread.
class StreamClient {
 public:
  virtual ~StreamClient() = default;  // joins the client's thread
  /// Makes whoever waits return kCancelled until Resume().
  virtual void Interrupt() = 0;
  virtual void Resume() = 0;
  /// A snapshot; the caller owns it.
  [[nodiscard]] virtual GstStructure* Stats() const = 0;
};

/// What an element can be set to, and how its client is opened. Under the element's lock.
template <typename SomeClient>
class StreamModel {
 public:
  using Client = SomeClient;
  virtual ~StreamModel() = default;
  /// Does not wait for the network.
  virtual Result<std::shared_ptr<Client>> Open(const std::string& location) const = 0;
  /// The stats of an element that has not run yet.
  [[nodiscard]] virtual GstStructure* NoStats() const = 0;
  /// False: there is no such option.
  virtual bool SetOption(std::size_t index, const GValue* value) = 0;
  virtual bool GetOption(std::size_t index, GValue* value) const = 0;
};

/// The network layer's client `Net` as a StreamClient; `kStructure` turns its stats into one.
/// `Base` is a StreamClient.
template <typename Base, typename Net, auto kStructure>
class NetClient : public Base {
 public:
  explicit NetClient(std::unique_ptr<Net> net) : net_(std::move(net)) {}
  void Interrupt() override { net_->Interrupt(); }
  void Resume() override { net_->Resume(); }
  GstStructure* Stats() const override { return kStructure(net_->stats()); }
  static auto Open(auto options) { return Net::Open(std::move(options)); }
  static GstStructure* NoStats() { return kStructure({}); }

 protected:
  const std::unique_ptr<Net> net_;
};

/// Options that are the fields of one struct, by a table, for `Client`, a NetClient. `Base` is a
/// StreamModel.
template <typename Base, typename Client, typename Options>
class OptionsModel : public Base {
 public:
  explicit OptionsModel(std::span<const OptionProperty<Options>> table) : table_(table) {}
  Result<std::shared_ptr<typename Base::Client>> Open(const std::string& location) const override {
    Options opened = options_;
    opened.url = HttpFromTrickleUri(location);
    auto net = Client::Open(std::move(opened));
    if (!net) return net.error();
    return std::shared_ptr<typename Base::Client>(new Client(std::move(*net)));
  }
  GstStructure* NoStats() const override { return Client::NoStats(); }
  bool SetOption(std::size_t index, const GValue* value) override {
    if (index < table_.size()) plugins::SetOption(options_, table_[index], value);
    return index < table_.size();
  }
  bool GetOption(std::size_t index, GValue* value) const override {
    if (index < table_.size()) plugins::GetOption(options_, table_[index], value);
    return index < table_.size();
  }

 protected:
  const Options& options() const { return options_; }

 private:
  const std::span<const OptionProperty<Options>> table_;
  Options options_;
};

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
