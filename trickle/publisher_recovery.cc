// SPDX-License-Identifier: Apache-2.0
// PublisherSession, second part: what answers and failures mean.
#include <utility>

#include "trickle/publisher_session.h"

namespace framelock::trickle {
namespace {

// Early answers to POSTs without a byte that may follow each other without a pause.
constexpr unsigned kFreeEarlyAnswers = 4;
constexpr std::chrono::milliseconds kEarlyAnswerPause{250};
constexpr unsigned kStatusTooLarge = 413;

}  // namespace

void PublisherSession::OnHead(net::TransferId id, const AnswerHead& head, SteadyTime now) {
  if (control_ && control_->id == id) {
    ControlAnswered(head, now);
  } else if (idle_ && idle_->id == id) {
    IdleAnswered(head, now);
  } else if (const auto segment = FindSegment(id); segment != segments_.end()) {
    SegmentAnswered(segment, head, now);
  }
}

// An answer before the first byte: the channel or this segment was closed by somebody else, or the
// channel does not exist.
void PublisherSession::IdleAnswered(const AnswerHead& head, SteadyTime now) {
  const std::uint64_t seq = idle_->seq;
  port_.Cancel(std::exchange(idle_, std::nullopt)->id);
  if (head.status == kStatusOk && head.closed) {
    return Finish(Error{ErrorCode::kClosed, "the channel ended"});
  }
  if (head.status != kStatusOk) return Failed(head.status, now);
  next_seq_ = head.seq.value_or(seq) + 1;
  AnsweredEarly(now);
}

void PublisherSession::AnsweredEarly(SteadyTime now) {
  if (++early_answers_ <= kFreeEarlyAnswers || state_ != State::kPosting) return;
  state_ = State::kPausing;
  retry_at_ = now + kEarlyAnswerPause;
}

void PublisherSession::SegmentAnswered(SegmentIterator segment, const AnswerHead& head,
                                       SteadyTime now) {
  if (head.status == kStatusOk && head.closed) {
    return Finish(Error{ErrorCode::kClosed, "the channel ended"});
  }
  if (head.status == kStatusOk) return SegmentAccepted(segment, now);
  if (head.status == kStatusTooLarge) {
    stats_.last_error = "segment " + std::to_string(*segment->seq) + ": too large for the server";
    return Drop(segment);
  }
  port_.Cancel(std::exchange(segment->post, std::nullopt)->id);
  if (segment->sent > 0) reopen_ = true;
  Failed(head.status, now);
}

void PublisherSession::SegmentAccepted(SegmentIterator segment, SteadyTime now) {
  if (segment->post->done_at) {
    if (!segment->cut) ++stats_.segments;
    acknowledged_ = true;
    contact_lost_ = false;
    server_was_down_ = false;
    early_answers_ = 0;
    back_off_.Succeeded();
    segments_.erase(segment);
    return;
  }
  // The server has closed it and takes no more. Without a byte gone, it can have another number.
  if (segment->sent > 0) {
    stats_.last_error = "segment " + std::to_string(*segment->seq) + ": closed by the server";
    return Drop(segment);
  }
  port_.Cancel(std::exchange(segment->post, std::nullopt)->id);
  segment->seq.reset();
  ++stats_.reposted_segments;
  AnsweredEarly(now);
}

void PublisherSession::Failed(unsigned status, SteadyTime now) {
  const std::string text = "the server answered " + std::to_string(status);
  if (status == kStatusNotFound) {
    if (acknowledged_ && !contact_lost_) {
      return Finish(Error{ErrorCode::kClosed, "the channel ended"});
    }
    reopen_ = true;
    return RetryOrGiveUp({ErrorCode::kNotFound, "the channel does not exist"}, now);
  }
  const bool transient = status == 408 || status == 425 || status == 429 || status >= 500;
  if (transient) return RetryOrGiveUp({ErrorCode::kUnavailable, text}, now);
  Finish(Error{ErrorCode::kInvalidArgument, text});
}

void PublisherSession::OnEnd(net::TransferId id, const Status& status, SteadyTime now) {
  // An answer that is complete was dealt with when its head came.
  const Error error = status ? Error{ErrorCode::kClosed, "no answer"} : status.error();
  if (control_ && control_->id == id) {
    ControlLost(error, now);
  } else if (idle_ && idle_->id == id) {
    Lost(error, std::exchange(idle_, std::nullopt)->started, now);
  } else if (const auto segment = FindSegment(id); segment != segments_.end()) {
    SegmentLost(segment, error, now);
  }
}

void PublisherSession::ControlLost(const Error& error, SteadyTime now) {
  const SteadyTime started = std::exchange(control_, std::nullopt)->started;
  if (state_ == State::kDeleting) return Finish(error);
  reopen_ = true;
  Lost(error, started, now);
}

void PublisherSession::SegmentLost(SegmentIterator segment, const Error& error, SteadyTime now) {
  const SteadyTime started = std::exchange(segment->post, std::nullopt)->started;
  if (segment->sent > 0) reopen_ = true;
  Lost(error, started, now);
}

void PublisherSession::Lost(const Error& error, SteadyTime started, SteadyTime now) {
  if (error.code == ErrorCode::kInvalidArgument || error.code == ErrorCode::kProtocol) {
    return Finish(error);
  }
  // Held longer than a connection may take to come about: a server had it, which is contact.
  if (now - started > options_.connect_timeout + options_.retry_max) back_off_.Succeeded();
  contact_lost_ = true;
  if (error.code == ErrorCode::kUnavailable) {
    server_was_down_ = true;
    reopen_ = true;
  }
  ++stats_.reconnects;
  RetryOrGiveUp({ErrorCode::kUnavailable, error.message}, now);
}

void PublisherSession::RetryOrGiveUp(const Error& error, SteadyTime now) {
  stats_.last_error = error.message;
  // One pause serves whatever broke at the same time.
  if (state_ == State::kPausing || control_) return;
  const std::optional<SteadyTime> when = back_off_.Failed(now);
  if (!when) return Finish(Error{error.code, "gave up: " + error.message});
  state_ = State::kPausing;
  retry_at_ = when;
}

void PublisherSession::CheckAnswers(SteadyTime now) {
  const Error late{ErrorCode::kTimeout, "no answer in time"};
  if (control_ && now - control_->started >= options_.answer_timeout) {
    port_.Cancel(control_->id);
    ControlLost(late, now);
  }
  for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
    if (!segment->post || !segment->post->done_at) continue;
    if (now - *segment->post->done_at < options_.answer_timeout) continue;
    port_.Cancel(segment->post->id);
    return SegmentLost(segment, late, now);  // the others at the next look
  }
}

void PublisherSession::OnTime(SteadyTime now) {
  if (ended()) return;
  CheckAnswers(now);
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    if (reopen_) {
      Create(now);
    } else {
      state_ = State::kPosting;
    }
  }
  Pump(now);
}

std::optional<SteadyTime> PublisherSession::NextDeadline() const {
  std::optional<SteadyTime> deadline = retry_at_;
  const auto earlier = [&](SteadyTime time) {
    if (!deadline || time < *deadline) deadline = time;
  };
  if (control_) earlier(control_->started + options_.answer_timeout);
  for (const Segment& segment : segments_) {
    if (segment.post && segment.post->done_at) {
      earlier(*segment.post->done_at + options_.answer_timeout);
    }
  }
  return deadline;
}

}  // namespace framelock::trickle
