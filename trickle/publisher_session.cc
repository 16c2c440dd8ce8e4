// SPDX-License-Identifier: Apache-2.0
#include "trickle/publisher_session.h"

#include <algorithm>
#include <utility>

namespace framelock::trickle {
namespace {

// POSTs that may be open at once, each on a connection: one that sends, others that wait for their
// answer, and an idle one as long as there is room for it.
constexpr std::ptrdiff_t kMaxOpenPosts = 4;

bool IsTransient(unsigned status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}
bool IsSuccess(unsigned status) { return status >= 200 && status < 300; }

std::string Answered(unsigned status) { return "the server answered " + std::to_string(status); }

}  // namespace

PublisherSession::PublisherSession(const PublisherOptions& options, Port& port)
    : options_(options),
      port_(port),
      back_off_({options.retry_initial, options.retry_max, options.give_up_after}),
      reset_pending_(options.resume_numbering) {}

void PublisherSession::Start(SteadyTime now) { Create(now); }

// ---- What the user asks for

Status PublisherSession::CheckOpen() const {
  if (ended() && !result_) return result_;
  if (ended() || closing_) return Error{ErrorCode::kClosed, "the publisher was closed"};
  return {};
}

Status PublisherSession::BeginSegment() {
  if (Status open = CheckOpen(); !open) return open;
  discarding_ = false;
  if (!segments_.empty()) segments_.back().finished = true;
  Feed();
  return {};
}

Status PublisherSession::Write(std::span<const std::byte> bytes, SteadyTime now) {
  if (Status open = CheckOpen(); !open) return open;
  if (discarding_ || bytes.empty()) return {};
  MakeRoom(bytes.size());
  if (discarding_) return {};
  if (segments_.empty() || segments_.back().finished) segments_.emplace_back();
  segments_.back().buffer.Append(bytes);
  segments_.back().finished = options_.whole_segments;
  stats_.bytes += bytes.size();
  Pump(now);
  return {};
}

void PublisherSession::Close(SteadyTime now) {
  if (ended() || closing_) return;
  closing_ = true;
  if (!segments_.empty()) segments_.back().finished = true;
  Pump(now);
}

void PublisherSession::Abort(Error reason) {
  if (!ended()) Finish(std::move(reason));
}

PublisherStats PublisherSession::stats() const {
  PublisherStats stats = stats_;
  stats.queued_bytes = HeldBytes();
  return stats;
}

// ---- Sending

// Moves everything forward as far as the state allows.
void PublisherSession::Pump(SteadyTime now) {
  if (ended()) return;
  if (closing_ && segments_.empty()) return FinishClosing(now);
  if (state_ == State::kPosting) {
    AttachPosts(now);
    if (!idle_ && !closing_ && OpenPosts() < kMaxOpenPosts) idle_ = StartPost(next_seq_, now);
  }
  Feed();
}

// Wakes POSTs that ran dry and have something to say again.
void PublisherSession::Feed() {
  for (Segment& segment : segments_) {
    if (!segment.post || !segment.post->starved) continue;
    if (segment.sent == segment.buffer.end() && !segment.finished) continue;
    segment.post->starved = false;
    port_.ResumeUpload(segment.post->id);
  }
}

std::ptrdiff_t PublisherSession::OpenPosts() const {
  return std::count_if(segments_.begin(), segments_.end(),
                       [](const Segment& segment) { return segment.post.has_value(); });
}

// Segments begin in order: each when the bytes of the one before it have all been handed over.
void PublisherSession::AttachPosts(SteadyTime now) {
  std::ptrdiff_t open = OpenPosts();
  for (Segment& segment : segments_) {
    if (!segment.post) {
      if (open++ >= kMaxOpenPosts) return;
      Attach(segment, now);
    }
    if (!segment.post->done_at) return;
  }
}

void PublisherSession::Attach(Segment& segment, SteadyTime now) {
  if (segment.seq) {
    segment.post = StartPost(*segment.seq, now);
    ++stats_.reposted_segments;
    return;
  }
  segment.post = idle_ ? *std::exchange(idle_, std::nullopt) : StartPost(next_seq_, now);
  segment.seq = next_seq_++;
  stats_.segment_seq = *segment.seq;
  reset_pending_ = false;
}

PublisherSession::Post PublisherSession::StartPost(std::uint64_t seq, SteadyTime now) {
  const bool reset = reset_pending_ && seq == next_seq_;
  return Post{.id = port_.StartPost(seq, reset ? PostKind::kReset : PostKind::kPlain),
              .seq = seq,
              .started = now};
}

std::optional<std::size_t> PublisherSession::OnUpload(net::TransferId id, std::span<std::byte> room,
                                                      SteadyTime now) {
  const auto segment = FindSegment(id);
  if (segment == segments_.end()) {
    if (idle_ && idle_->id == id) idle_->starved = true;
    return std::nullopt;
  }
  const std::size_t size = segment->buffer.Read(segment->sent, room);
  segment->sent += size;
  if (size > 0) return size;
  if (!segment->finished) {
    segment->post->starved = true;
    return std::nullopt;
  }
  segment->post->done_at = now;
  return 0;
}

PublisherSession::SegmentIterator PublisherSession::FindSegment(net::TransferId id) {
  return std::find_if(segments_.begin(), segments_.end(), [id](const Segment& segment) {
    return segment.post && segment.post->id == id;
  });
}

// ---- The bound

std::size_t PublisherSession::HeldBytes() const {
  std::size_t held = 0;
  for (const Segment& segment : segments_) held += segment.buffer.held_bytes();
  return held;
}

// What was sent already is only good for repeating, so it goes first; then whole segments that no
// POST has begun, oldest first; then the rest of the segment being written.
void PublisherSession::MakeRoom(std::size_t bytes) {
  const auto has_room = [&] { return HeldBytes() + bytes <= options_.queue_bytes; };
  for (Segment& segment : segments_) {
    if (has_room()) return;
    segment.buffer.DiscardBefore(segment.sent);
  }
  while (!has_room()) {
    const auto unbegun = std::find_if(segments_.begin(), segments_.end(),
                                      [](const Segment& segment) { return !segment.post; });
    if (unbegun == segments_.end()) break;
    Drop(unbegun);
  }
  if (discarding_ || has_room()) return;
  discarding_ = true;
  ++stats_.dropped_segments;
  if (segments_.empty() || segments_.back().finished) return;
  segments_.back().finished = true;
  segments_.back().cut = true;
  Feed();
}

void PublisherSession::Drop(SegmentIterator segment) {
  if (segment->post) port_.Cancel(segment->post->id);
  if (!segment->finished) discarding_ = true;
  if (!segment->cut) ++stats_.dropped_segments;
  segments_.erase(segment);
}

// ---- Opening and closing

void PublisherSession::Create(SteadyTime now) {
  retry_at_.reset();
  if (!options_.create_channel) return AskNumber(now);
  state_ = State::kCreating;
  control_ = Control{port_.StartCreate(), now};
}

void PublisherSession::AskNumber(SteadyTime now) {
  if (!options_.resume_numbering) return Numbered(std::nullopt, now);
  state_ = State::kNumbering;
  control_ = Control{port_.StartNext(), now};
}

void PublisherSession::ControlAnswered(const AnswerHead& head, SteadyTime now) {
  control_.reset();
  const unsigned status = head.status;
  if (state_ == State::kDeleting) {
    // 400 and 404: the channel was gone already.
    const bool refused = status == 401 || status == 403 || status >= 500;
    return Finish(refused ? Status(Error{ErrorCode::kUnavailable,
                                         "deleting the channel: " + Answered(status)})
                          : Status());
  }
  if (IsTransient(status)) {
    reopen_ = true;
    return RetryOrGiveUp({ErrorCode::kUnavailable, Answered(status)}, now);
  }
  if (state_ == State::kNumbering) {
    if (head.closed) return Finish(Error{ErrorCode::kClosed, "the channel ended"});
    return Numbered(IsSuccess(status) ? head.latest : std::nullopt, now);
  }
  if (!IsSuccess(status) && status != kStatusNotFound && status != 405) {
    return Finish(Error{ErrorCode::kInvalidArgument, "creating the channel: " + Answered(status)});
  }
  AskNumber(now);
}

void PublisherSession::Numbered(std::optional<std::uint64_t> next, SteadyTime now) {
  reopen_ = false;
  state_ = State::kPosting;
  if (next) {
    Renumber(*next);
  } else {
    reset_pending_ = false;
    // Nobody says what the server still has of a broken segment. One that was away has nothing.
    for (Segment& segment : segments_) {
      if (!segment.post && server_was_down_ && segment.buffer.begin() == 0) segment.sent = 0;
    }
  }
  Pump(now);
}

// `next` is the number the server expects. If it fits into ours, a broken segment below it goes on
// where it was broken, for the server appends, and any other starts again. If not, the server has
// forgotten the channel (or somebody else writes it) and its numbers hold.
void PublisherSession::Renumber(std::uint64_t next) {
  std::uint64_t oldest = next_seq_;
  for (const Segment& segment : segments_) {
    if (segment.seq) oldest = std::min(oldest, *segment.seq);
  }
  const bool ours = oldest <= next && next <= next_seq_;
  if (!ours) {
    next_seq_ = next;
    reset_pending_ = true;
    if (idle_) port_.Cancel(std::exchange(idle_, std::nullopt)->id);
  }
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto current = segment++;
    if (current->post || !current->seq) continue;
    if (ours && *current->seq < next) continue;
    if (!ours) current->seq.reset();
    current->sent = 0;
    if (current->buffer.begin() > 0) Drop(current);
  }
}

void PublisherSession::FinishClosing(SteadyTime now) {
  if (state_ == State::kDeleting) return;
  CancelAll();
  retry_at_.reset();
  if (!options_.delete_channel) return Finish({});
  state_ = State::kDeleting;
  control_ = Control{port_.StartDelete(), now};
}

void PublisherSession::CancelAll() {
  if (control_) port_.Cancel(std::exchange(control_, std::nullopt)->id);
  if (idle_) port_.Cancel(std::exchange(idle_, std::nullopt)->id);
  for (Segment& segment : segments_) {
    if (segment.post) port_.Cancel(std::exchange(segment.post, std::nullopt)->id);
  }
}

void PublisherSession::Finish(Status result) {
  state_ = State::kEnded;
  result_ = std::move(result);
  if (!result_) stats_.last_error = result_.error().message;
  retry_at_.reset();
  CancelAll();
  for (const Segment& segment : segments_) stats_.dropped_segments += segment.cut ? 0 : 1;
  segments_.clear();
  port_.Ended();
}

}  // namespace framelock::trickle
