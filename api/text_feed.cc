// SPDX-License-Identifier: Apache-2.0
#include "api/text_feed.h"

#include <algorithm>

#include "api/json_text.h"

namespace framelock::api {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxTextBytes = 65'536;  // a text is no longer on its way here

}  // namespace

void TextFeed::Take(const json& message) {
  const auto type = message.find("type");
  if (type == message.end() || *type != json("text")) return;
  const auto sequence = message.find("sequence");
  const auto pts = message.find("pts");
  const auto text = message.find("text");
  if (sequence == message.end() || !sequence->is_number_unsigned() || text == message.end() ||
      !text->is_string() || text->get_ref<const std::string&>().size() > kMaxTextBytes) {
    return;
  }
  const bool timed = pts != message.end() && pts->is_number_unsigned();
  const json said = {
      {"sequence", *sequence}, {"pts", timed ? *pts : json(nullptr)}, {"text", *text}};
  events_.push_back("id: " + sequence->dump() + "\ndata: " + DumpJson(said) + "\n\n");
  bytes_ += events_.back().size();
  while (events_.size() > max_waiting_ || bytes_ > kMostBytes) {
    bytes_ -= events_.front().size();
    events_.pop_front();
    ++first_;
  }
}

std::string TextFeed::Read(Position& position) const {
  std::string events;
  if (position < first_) {
    events = ": " + std::to_string(first_ - position) + " missed\n\n";
    position = first_;
  }
  for (; position < End() && events.size() < kPieceBytes; ++position) {
    events += events_[position - first_];
  }
  return events;
}

}  // namespace framelock::api
