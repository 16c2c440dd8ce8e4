// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <memory>
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

}  // namespace framelock::plugins
