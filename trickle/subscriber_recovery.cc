// SPDX-License-Identifier: Apache-2.0
// SubscriberSession, second part: what failures and refusals mean.
#include <algorithm>
#include <utility>

#include "trickle/subscriber_session.h"

namespace framelock::trickle {
namespace {

bool IsTransient(unsigned status) {
  return status == 408 || status == 425 || status == 429 || status >= 500 ||
         (status > kStatusOk && status < 300);
}

}  // namespace

void SubscriberSession::NoAnswer(const Status& status, SteadyTime now) {
  const ErrorCode code = status.error().code;
  std::int64_t wire_seq = current_->wire_seq;
  if (code == ErrorCode::kInvalidArgument || code == ErrorCode::kProtocol) {
    return Finish(status.error());
  }
  contact_lost_ = changed_ = true;
  // Servers before 2025-05 break the connection when asked for -2.
  if (code == ErrorCode::kClosed && wire_seq == kWireCurrent) wire_seq = kWireNext;
  ++stats_.reconnects;
  RetryOrGiveUp(wire_seq, {ErrorCode::kUnavailable, status.error().message}, now);
}

void SubscriberSession::Broken(const Status& status, SteadyTime now) {
  contact_lost_ = changed_ = true;
  ++stats_.reconnects;
  RetryOrGiveUp(static_cast<std::int64_t>(seq_), {ErrorCode::kUnavailable, status.error().message},
                now);
}

void SubscriberSession::NoSuchSegment(SteadyTime now) {
  const std::int64_t asked = current_->wire_seq;
  const std::optional<std::uint64_t> latest = current_->head->latest;
  back_off_.Succeeded();
  contact_lost_ = false;
  current_.reset();
  if (!latest) {
    stats_.last_error = Describe(asked) + "470 without Lp-Trickle-Latest";
    return AskLater(asked < 0 ? kWireNext : asked, now + kTooEarlyPause);
  }
  const auto next_write = static_cast<std::int64_t>(*latest);
  if (next_write > asked) {
    // Servers before 2026-07 answer so for a segment that was finished empty.
    const bool was_next = expected_ && static_cast<std::int64_t>(*expected_) == asked;
    if (was_next && next_write == asked + 1 && delivered_ == 0) {
      ++stats_.segments;
      ++stats_.empty_segments;
      expected_ = *latest;
    }
    return Detour(next_write, now);
  }
  if (next_write < asked && seen_segment_) {
    // The channel had this number once, so its numbering went back: follow from the segment that
    // is being written now.
    return Detour(std::max<std::int64_t>(next_write - 1, 0), now);
  }
  AskLater(asked, now + kTooEarlyPause);
}

// After a segment this is how a channel ends for who comes late; but a server that was restarted
// knows no channels either until their publishers return.
void SubscriberSession::NotFound(SteadyTime now) {
  if (seen_segment_ && !contact_lost_) {
    return Finish({ErrorCode::kClosed, "the channel ended"});
  }
  RetryOrGiveUp(current_->wire_seq, {ErrorCode::kNotFound, "the channel does not exist"}, now);
}

void SubscriberSession::Refused(SteadyTime now) {
  const unsigned status = current_->head->status;
  const std::string text = "the server answered " + std::to_string(status);
  if (IsTransient(status)) {
    return RetryOrGiveUp(current_->wire_seq, {ErrorCode::kUnavailable, text}, now);
  }
  if (status == 400 && current_->wire_seq == kWireCurrent) {
    return RetryOrGiveUp(kWireNext, {ErrorCode::kInvalidArgument, text}, now);
  }
  Finish({ErrorCode::kInvalidArgument, text});
}

void SubscriberSession::RetryOrGiveUp(std::int64_t wire_seq, const Error& error, SteadyTime now) {
  stats_.last_error = Describe(wire_seq) + error.message;
  const std::optional<SteadyTime> when = back_off_.Failed(now);
  if (!when) return Finish({error.code, "gave up: " + error.message});
  current_.reset();
  if (wire_seq < 0 || (next_ && next_->end)) Drop(next_);
  AskLater(wire_seq, *when);
}

void SubscriberSession::Finish(Error reason) {
  state_ = State::kEnded;
  retry_at_.reset();
  Drop(current_);
  Drop(next_);
  if (reason.code != ErrorCode::kClosed) stats_.last_error = reason.message;
  port_.End(std::move(reason));
}

}  // namespace framelock::trickle
