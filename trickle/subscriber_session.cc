// SPDX-License-Identifier: Apache-2.0
#include "trickle/subscriber_session.h"

#include <algorithm>
#include <utility>

namespace framelock::trickle {
namespace {

// Answers without bytes that may follow each other without a pause.
constexpr unsigned kFreeDetours = 4;

}  // namespace

SubscriberSession::SubscriberSession(const SubscriberOptions& options, Port& port)
    : options_(options),
      port_(port),
      back_off_({options.retry_initial, options.retry_max, options.give_up_after}),
      expected_(options.start_seq) {}

std::string SubscriberSession::Describe(std::int64_t wire_seq) {
  return "segment " + std::to_string(wire_seq) + ": ";
}

void SubscriberSession::Start(SteadyTime now) {
  if (options_.start_seq) return Ask(static_cast<std::int64_t>(*options_.start_seq), now);
  Ask(options_.start == StartAt::kCurrent ? kWireCurrent : kWireNext, now);
}

SubscriberSession::Fetch SubscriberSession::Request(std::int64_t wire_seq, SteadyTime now) {
  return Fetch{.wire_seq = wire_seq,
               .attempts = {{port_.StartGet(wire_seq), now}},
               .renew_at = now + options_.reissue_waiting_get,
               .heard = now};
}

void SubscriberSession::Ask(std::int64_t wire_seq, SteadyTime now) {
  state_ = State::kAsking;
  retry_at_.reset();
  current_ = Request(wire_seq, now);
  const bool resumes = expected_ && static_cast<std::int64_t>(*expected_) == wire_seq;
  current_->skip = resumes ? delivered_ : 0;
}

void SubscriberSession::AskLater(std::int64_t wire_seq, SteadyTime when) {
  state_ = State::kPausing;
  retry_seq_ = wire_seq;
  retry_at_ = when;
}

// Follows the server's numbers at once, unless it keeps leading us on without giving any bytes.
void SubscriberSession::Detour(std::int64_t wire_seq, SteadyTime now) {
  Drop(next_);
  if (++detours_ <= kFreeDetours) return Ask(wire_seq, now);
  AskLater(wire_seq, now + kTooEarlyPause);
}

void SubscriberSession::Drop(std::optional<Fetch>& fetch) {
  if (!fetch) return;
  for (const Attempt& attempt : fetch->attempts) port_.Cancel(attempt.id);
  fetch.reset();
}

std::optional<SubscriberSession::Fetch>* SubscriberSession::Find(net::TransferId id) {
  for (std::optional<Fetch>* fetch : {&current_, &next_}) {
    if (!*fetch) continue;
    for (const Attempt& attempt : (*fetch)->attempts) {
      if (attempt.id == id) return fetch;
    }
  }
  return nullptr;
}

// The first answer wins; a waiting twin has nothing to add.
void SubscriberSession::OnHead(net::TransferId id, const AnswerHead& head, SteadyTime now) {
  std::optional<Fetch>* found = Find(id);
  if (found == nullptr || (*found)->head) return;
  Fetch& fetch = **found;
  fetch.head = head;
  fetch.heard = now;
  for (const Attempt& attempt : fetch.attempts) {
    if (attempt.id != id) port_.Cancel(attempt.id);
  }
  std::erase_if(fetch.attempts, [id](const Attempt& attempt) { return attempt.id != id; });
  if (found == &current_) HeadOfCurrent(now);
}

void SubscriberSession::HeadOfCurrent(SteadyTime now) {
  const AnswerHead& head = *current_->head;
  if (head.status != kStatusOk) return;  // its end follows shortly
  if (head.closed) return Finish({ErrorCode::kClosed, "the channel ended"});
  if (head.html) {
    return Finish({ErrorCode::kInvalidArgument, "the server answered with a web page (text/html)"});
  }
  if (!head.seq && current_->wire_seq < 0) {
    return Finish({ErrorCode::kProtocol, "the answer has no Lp-Trickle-Seq header"});
  }
  state_ = State::kReading;
  seen_segment_ = true;
  contact_lost_ = false;
  seq_ =
      head.seq.value_or(static_cast<std::uint64_t>(std::max<std::int64_t>(current_->wire_seq, 0)));
  if (expected_ && seq_ > *expected_) {
    stats_.missed_segments += seq_ - *expected_;
    discontinuity_ = true;
  } else if (expected_ && seq_ < *expected_) {
    // Whether the numbers below this one were ever used cannot be known: at least one, unless 0.
    ++stats_.resets;
    doubtful_missed_ = seq_ > 0 ? 1 : 0;
    stats_.missed_segments += doubtful_missed_;
    discontinuity_ = true;
    repeats_ = changed_;
  }
  if (!expected_ || seq_ != *expected_) {
    delivered_ = 0;
    current_->skip = 0;
  }
  expected_ = seq_;
  BeginComparing();
  const auto following = static_cast<std::int64_t>(seq_) + 1;
  const bool broken = next_ && next_->end && !next_->head;
  if (broken || (next_ && next_->wire_seq != following)) Drop(next_);
  if (!next_) next_ = Request(following, now);
}

net::BodyAction SubscriberSession::OnBody(net::TransferId id, std::span<const std::byte> bytes,
                                          SteadyTime now) {
  std::optional<Fetch>* found = Find(id);
  if (found == nullptr || !(*found)->head) return net::BodyAction::kTaken;
  Fetch& fetch = **found;
  if (found == &next_ || !port_.HasRoom()) {
    fetch.paused = true;
    return net::BodyAction::kPause;
  }
  fetch.heard = now;
  const std::uint64_t before = std::exchange(fetch.received, fetch.received + bytes.size());
  if (fetch.received > options_.max_segment_bytes) {
    Leave("longer than max_segment_bytes, cut off", now);
    return net::BodyAction::kTaken;
  }
  if (memory_.comparing()) {
    Recognise(bytes);
    return net::BodyAction::kTaken;
  }
  if (fetch.received <= fetch.skip) return net::BodyAction::kTaken;
  if (before < fetch.skip) bytes = bytes.subspan(fetch.skip - before);
  Deliver(bytes);
  return net::BodyAction::kTaken;
}

// What a server that was restarted has, under whatever number, may be what the former one had.
void SubscriberSession::BeginComparing() {
  if (current_->skip > 0) {
    memory_.StartComparing(SegmentMemory::Among::kLast);
  } else if (std::exchange(repeats_, false) || memory_.comparing()) {
    memory_.StartComparing(SegmentMemory::Among::kAll);
  }
}

// Once it is known or new, what was held of it and never handed out is delivered.
void SubscriberSession::Recognise(std::span<const std::byte> bytes) {
  const SegmentMemory::Verdict verdict = memory_.Compare(bytes);
  if (verdict == SegmentMemory::Verdict::kUndecided) return;
  const std::vector<std::byte> held = memory_.TakeHeld();
  if (verdict == SegmentMemory::Verdict::kNew) {
    if (std::exchange(current_->skip, 0) > 0) {  // the number is the same, by chance
      ++stats_.missed_segments;
      discontinuity_ = true;
      delivered_ = 0;
    }
    return Deliver(held);
  }
  current_->skip = memory_.known().bytes;
  if (memory_.known().last) {  // it goes on where the other one was broken off
    delivered_ = current_->skip;
    discontinuity_ = false;
    stats_.missed_segments -= std::exchange(doubtful_missed_, 0);
  } else {
    repeats_ = true;
  }
  // More than is known of it, if it could have been a longer one for a while.
  if (held.size() > current_->skip) Deliver(std::span(held).subspan(current_->skip));
}

void SubscriberSession::Deliver(std::span<const std::byte> bytes) {
  back_off_.Succeeded();
  detours_ = 0;
  doubtful_missed_ = 0;
  changed_ = false;
  if (delivered_ == 0) memory_.Begin();
  memory_.Add(bytes);
  port_.Push(Piece{.bytes = {bytes.begin(), bytes.end()},
                   .segment_seq = seq_,
                   .segment_start = delivered_ == 0,
                   .discontinuity = std::exchange(discontinuity_, false)});
  delivered_ += bytes.size();
  stats_.bytes += bytes.size();
}

// The rest of the current segment is given up.
void SubscriberSession::Leave(std::string_view why, SteadyTime now) {
  stats_.last_error = Describe(static_cast<std::int64_t>(seq_)).append(why);
  ++stats_.missed_segments;
  discontinuity_ = true;
  Drop(current_);
  Promote(now);
}

void SubscriberSession::OnEnd(net::TransferId id, const Status& status, SteadyTime now) {
  std::optional<Fetch>* found = Find(id);
  if (found == nullptr) return;
  Fetch& fetch = **found;
  for (const Attempt& attempt : fetch.attempts) {
    // Held longer than a connection may take to come about: a server had it, which is contact.
    const auto held = now - attempt.started;
    if (attempt.id == id && held > options_.connect_timeout + options_.retry_max) {
      back_off_.Succeeded();
    }
  }
  std::erase_if(fetch.attempts, [id](const Attempt& attempt) { return attempt.id == id; });
  if (!fetch.head && !fetch.attempts.empty()) return;  // its twin still waits
  fetch.end = status;
  if (found == &current_) EndOfCurrent(now);
}

void SubscriberSession::EndOfCurrent(SteadyTime now) {
  const Fetch& fetch = *current_;
  if (!fetch.head) return NoAnswer(*fetch.end, now);
  switch (fetch.head->status) {
    case kStatusOk:
      return fetch.end->ok() ? SegmentEnded(now) : Broken(*fetch.end, now);
    case kStatusNoSuchSegment:
      return NoSuchSegment(now);
    case kStatusNotFound:
      return NotFound(now);
    default:
      return Refused(now);
  }
}

void SubscriberSession::SegmentEnded(SteadyTime now) {
  ++stats_.segments;
  if (current_->received == 0) {
    ++stats_.empty_segments;
    ++detours_;
  }
  if (memory_.comparing()) {  // too short to be known
    const std::vector<std::byte> held = memory_.TakeHeld();
    if (current_->skip == 0 && !held.empty()) Deliver(held);
    if (current_->skip == 0 && held.empty()) repeats_ = true;  // the one behind it may be known
  }
  if (current_->received < current_->skip) {  // the server has less of it than we were given
    ++stats_.missed_segments;
    discontinuity_ = true;
  }
  back_off_.Succeeded();
  Promote(now);
}

// The segment behind the current one becomes the current one.
void SubscriberSession::Promote(SteadyTime now) {
  delivered_ = 0;
  expected_ = seq_ + 1;
  const auto wire_seq = static_cast<std::int64_t>(seq_ + 1);
  current_.reset();
  if (detours_ > kFreeDetours) {
    Drop(next_);
    return AskLater(wire_seq, now + kTooEarlyPause);
  }
  if (!next_) return Ask(wire_seq, now);
  current_ = std::exchange(next_, std::nullopt);
  current_->heard = now;
  state_ = State::kAsking;
  if (current_->head) HeadOfCurrent(now);
  if (state_ == State::kEnded) return;
  if (current_->end) return EndOfCurrent(now);
  if (std::exchange(current_->paused, false)) port_.ResumeBody(current_->attempts.front().id);
}

// A waiting GET is asked again beside the first; the first is given up only when the second has
// waited a whole period too, so that an answer to either is never lost.
void SubscriberSession::Renew(std::optional<Fetch>& fetch, SteadyTime now) {
  if (!fetch || fetch->head || fetch->attempts.empty()) return;
  if (options_.reissue_waiting_get.count() <= 0) return;
  if (now < fetch->renew_at) return;
  if (fetch->attempts.size() > 1) {
    port_.Cancel(fetch->attempts.front().id);
    fetch->attempts.erase(fetch->attempts.begin());
  }
  fetch->attempts.push_back({port_.StartGet(fetch->wire_seq), now});
  fetch->renew_at = now + options_.reissue_waiting_get;
}

void SubscriberSession::OnTime(SteadyTime now) {
  if (state_ == State::kEnded) return;
  if (retry_at_ && *retry_at_ <= now) Ask(retry_seq_, now);
  Renew(current_, now);
  Renew(next_, now);
  if (const auto silent = SilentFrom(); silent && *silent <= now) {
    Leave("silent though the next one has begun, left", now);
  }
  if (current_ && current_->paused && port_.HasRoom()) {
    current_->paused = false;
    current_->heard = now;
    port_.ResumeBody(current_->attempts.front().id);
  }
}

// Some servers never end the segment of a publisher that vanished.
std::optional<SteadyTime> SubscriberSession::SilentFrom() const {
  if (options_.leave_silent_after.count() <= 0 || state_ != State::kReading) return std::nullopt;
  if (current_->paused || !next_ || !next_->head || next_->head->status != kStatusOk ||
      next_->head->closed) {
    return std::nullopt;
  }
  return std::max(current_->heard, next_->heard) + options_.leave_silent_after;
}

std::optional<SteadyTime> SubscriberSession::NextDeadline() const {
  std::optional<SteadyTime> deadline = retry_at_;
  const std::optional<SteadyTime> silent = SilentFrom();
  if (silent && (!deadline || *silent < *deadline)) deadline = silent;
  if (options_.reissue_waiting_get.count() <= 0) return deadline;
  for (const std::optional<Fetch>* fetch : {&current_, &next_}) {
    if (!*fetch || (*fetch)->head || (*fetch)->attempts.empty()) continue;
    if (!deadline || (*fetch)->renew_at < *deadline) deadline = (*fetch)->renew_at;
  }
  return deadline;
}

}  // namespace framelock::trickle
