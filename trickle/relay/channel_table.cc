// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/channel_table.h"

#include <algorithm>
#include <span>

#include "pipeline/core/log.h"
#include "trickle/relay/json_text.h"

namespace framelock::relay {
namespace {

bool HasPrefix(const std::vector<std::string>& prefixes, std::string_view name) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](const std::string& prefix) { return name.starts_with(prefix); });
}

}  // namespace

ChannelTable::ChannelTable(ChannelTableOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      budget_(std::make_shared<ByteBudget>(options_.max_total_bytes)) {
  if (options_.changefeed) Create(std::string(kChangefeed), "application/json");
}

std::shared_ptr<Channel> ChannelTable::Find(std::string_view name) const {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second;
}

ChannelTable::Opened ChannelTable::OpenFor(const std::string& name, const std::string& mime) {
  if (auto channel = Find(name)) return {Verdict::kDone, std::move(channel)};
  if (HasPrefix(options_.deny_create, name)) return {Verdict::kDenied, nullptr};
  if (!options_.autocreate) return {Verdict::kMissing, nullptr};
  return Create(name, mime);
}

ChannelTable::Opened ChannelTable::Create(const std::string& name, const std::string& mime) {
  if (auto channel = Find(name)) return {Verdict::kDone, std::move(channel)};
  if (channels_.size() >= options_.max_channels) return {Verdict::kTooMany, nullptr};
  auto channel = std::make_shared<Channel>(name, mime, options_.limits, budget_, clock_);
  channels_.emplace(name, channel);
  spdlog::debug("channel created, channel={} mime={}", JsonText(name), mime);
  Announce("added", name);
  return {Verdict::kDone, std::move(channel)};
}

Verdict ChannelTable::Delete(std::string_view name) {
  const auto place = channels_.find(name);
  if (place == channels_.end()) return Verdict::kMissing;
  if (HasPrefix(options_.deny_delete, name)) return Verdict::kDenied;
  Close(place);
  return Verdict::kDone;
}

void ChannelTable::Close(decltype(channels_)::iterator place) {
  const auto channel = place->second;
  channels_.erase(place);
  channel->Close();
  spdlog::debug("channel closed, channel={}", JsonText(channel->name()));
  Announce("removed", channel->name());
}

// One segment a change, complete at once; a reader that is slower than five changes loses some.
void ChannelTable::Announce(std::string_view change, std::string_view name) {
  if (!options_.changefeed) return;
  const auto feed = Find(kChangefeed);
  if (!feed) return;
  const std::string text = "{\"" + std::string(change) + "\":[" + JsonText(name) + "]}";
  const auto segment = feed->OpenForWrite(feed->next());
  if (feed->Append(*segment, std::as_bytes(std::span(text))) != AppendStatus::kAppended) {
    spdlog::warn("no memory for the changefeed, a change is lost");
  }
  feed->Finish(*segment);
}

void ChannelTable::Sweep() {
  const SteadyTime now = clock_.Now();
  for (auto it = channels_.begin(); it != channels_.end();) {
    const auto place = it++;
    const Channel& channel = *place->second;
    const bool idle = now - channel.last_activity() > options_.idle_timeout;
    if (!idle || (options_.changefeed && channel.name() == kChangefeed)) continue;
    spdlog::info("nobody published for the idle timeout, channel={}", JsonText(channel.name()));
    Close(place);
  }
}

void ChannelTable::CloseAll() {
  for (const auto& [name, channel] : channels_) channel->Close();
  channels_.clear();
}

void ChannelTable::ForEach(const std::function<void(Channel&)>& visit) const {
  for (const auto& [name, channel] : channels_) visit(*channel);
}

}  // namespace framelock::relay
