// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/clock.h"
#include "trickle/relay/byte_budget.h"
#include "trickle/relay/channel.h"

namespace framelock::relay {

struct ChannelTableOptions {
  bool autocreate = true;
  bool changefeed = false;
  std::size_t max_channels = 1024;
  std::size_t max_total_bytes = 1u << 30;  // of all segments together
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(5);
  std::vector<std::string> deny_create;  // prefixes of names
  std::vector<std::string> deny_delete;
  ChannelLimits limits;
};

/// How asking for a channel, or for its end, went.
enum class Verdict : std::uint8_t {
  kDone,
  kMissing,
  kDenied,
  kTooMany,
};

/// All channels of a relay by name. Owned by the Relay; loop thread only.
class ChannelTable {
 public:
  /// The channel that tells of the others' coming and going.
  static constexpr std::string_view kChangefeed = "_changes";

  ChannelTable(ChannelTableOptions options, const Clock& clock);

  /// Null if there is none.
  [[nodiscard]] std::shared_ptr<Channel> Find(std::string_view name) const;

  struct Opened {
    Verdict verdict = Verdict::kDone;
    std::shared_ptr<Channel> channel;  // of kDone
  };
  /// The channel of that name, created if it is missing and clients may create it.
  Opened OpenFor(const std::string& name, const std::string& mime);
  /// Creates it whatever clients may do; an existing one stays as it is. kDone or kTooMany.
  Opened Create(const std::string& name, const std::string& mime);
  /// Closes and forgets a channel, on a client's behalf.
  Verdict Delete(std::string_view name);

  /// Ends the channels nobody published to for the idle timeout.
  void Sweep();
  void CloseAll();

  [[nodiscard]] std::size_t size() const { return channels_.size(); }
  [[nodiscard]] std::size_t stored_bytes() const { return budget_->used(); }
  void ForEach(const std::function<void(Channel&)>& visit) const;

 private:
  void Close(std::map<std::string, std::shared_ptr<Channel>, std::less<>>::iterator place);
  void Announce(std::string_view change, std::string_view name);

  const ChannelTableOptions options_;
  const Clock& clock_;
  const std::shared_ptr<ByteBudget> budget_;
  std::map<std::string, std::shared_ptr<Channel>, std::less<>> channels_;
};

}  // namespace framelock::relay
