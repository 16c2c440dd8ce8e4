// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>

#include "pipeline/core/back_off.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/http_client.h"
#include "trickle/headers.h"
#include "trickle/publisher.h"
#include "trickle/segment_buffer.h"

namespace framelock::trickle {

/// The protocol logic of a publisher, without sockets or threads: it is given bytes and told what
/// happened to its requests, and says through its Port what to do next. Owned by Publisher (or a
/// test), which calls it under one lock.
class PublisherSession {
 public:
  enum class PostKind : std::uint8_t { kPlain, kReset };  // kReset: with Lp-Trickle-Reset

  class Port {
   public:
    virtual ~Port() = default;
    virtual net::TransferId StartCreate() = 0;
    virtual net::TransferId StartNext() = 0;
    virtual net::TransferId StartPost(std::uint64_t seq, PostKind kind) = 0;
    virtual net::TransferId StartDelete() = 0;
    virtual void Cancel(net::TransferId id) = 0;
    virtual void ResumeUpload(net::TransferId id) = 0;
    /// The session has ended; nothing comes after it.
    virtual void Ended() = 0;
  };

  PublisherSession(const PublisherOptions& options, Port& port);

  void Start(SteadyTime now);
  Status BeginSegment();
  Status Write(std::span<const std::byte> bytes, SteadyTime now);
  /// Sends what is queued, DELETEs the channel, then ends.
  void Close(SteadyTime now);
  /// Ends at once.
  void Abort(Error reason);

  void OnHead(net::TransferId id, const AnswerHead& head, SteadyTime now);
  std::optional<std::size_t> OnUpload(net::TransferId id, std::span<std::byte> room,
                                      SteadyTime now);
  void OnEnd(net::TransferId id, const Status& status, SteadyTime now);
  /// Does what is due: after every batch of events, and when NextDeadline has passed.
  void OnTime(SteadyTime now);
  [[nodiscard]] std::optional<SteadyTime> NextDeadline() const;

  [[nodiscard]] bool ended() const { return state_ == State::kEnded; }
  /// How the session ended; ok after a complete Close.
  [[nodiscard]] const Status& result() const { return result_; }
  /// Without connections, which the session does not know.
  [[nodiscard]] PublisherStats stats() const;

 private:
  //   ──► kCreating ──200, 404, 405──► kNumbering ──/next or none──► kPosting ──Close──► kDeleting
  //          ▲                             │                            │                    │
  //          └────back-off──── kPausing ◄──┴──transport failure, 404────┘                    ▼
  //                               └───────────────gave up, Closed, refused──────────────► kEnded
  enum class State : std::uint8_t { kCreating, kNumbering, kPosting, kPausing, kDeleting, kEnded };

  // A POST. Idle (preconnected) until it is given a segment.
  struct Post {
    net::TransferId id;
    std::uint64_t seq;
    SteadyTime started;
    bool starved = false;               // waits for ResumeUpload
    std::optional<SteadyTime> done_at;  // the body's end was handed over
  };
  struct Segment {
    SegmentBuffer buffer;
    bool finished = false;             // no more bytes will come
    bool cut = false;                  // and some were dropped
    std::optional<std::uint64_t> seq;  // once it has been given to a POST
    std::uint64_t sent = 0;            // bytes handed to the transport
    std::optional<Post> post;
  };
  using SegmentIterator = std::list<Segment>::iterator;

  struct Control {
    net::TransferId id;
    SteadyTime started;
  };

  [[nodiscard]] Status CheckOpen() const;
  SegmentIterator FindSegment(net::TransferId id);
  void Pump(SteadyTime now);
  void Feed();
  [[nodiscard]] std::ptrdiff_t OpenPosts() const;  // without the idle one
  void AttachPosts(SteadyTime now);
  void Attach(Segment& segment, SteadyTime now);
  Post StartPost(std::uint64_t seq, SteadyTime now);
  [[nodiscard]] std::size_t HeldBytes() const;
  void MakeRoom(std::size_t bytes);
  void Drop(SegmentIterator segment);

  void Create(SteadyTime now);
  void AskNumber(SteadyTime now);
  void Numbered(std::optional<std::uint64_t> next, SteadyTime now);
  void Renumber(std::uint64_t next);
  void FinishClosing(SteadyTime now);
  void CancelAll();
  void Finish(Status result);

  void ControlAnswered(const AnswerHead& head, SteadyTime now);
  void IdleAnswered(const AnswerHead& head, SteadyTime now);
  void AnsweredEarly(SteadyTime now);
  void SegmentAnswered(SegmentIterator segment, const AnswerHead& head, SteadyTime now);
  void SegmentAccepted(SegmentIterator segment, SteadyTime now);
  void Failed(unsigned status, SteadyTime now);
  void ControlLost(const Error& error, SteadyTime now);
  void SegmentLost(SegmentIterator segment, const Error& error, SteadyTime now);
  void Lost(const Error& error, SteadyTime started, SteadyTime now);
  void RetryOrGiveUp(const Error& error, SteadyTime now);
  void CheckAnswers(SteadyTime now);

  const PublisherOptions options_;
  Port& port_;
  State state_ = State::kCreating;
  Status result_;
  BackOff back_off_;
  std::optional<SteadyTime> retry_at_;  // in kPausing
  std::optional<Control> control_;      // create, next or delete
  std::list<Segment> segments_;  // not yet acknowledged, oldest first; the last one may be growing
  std::optional<Post> idle_;
  std::uint64_t next_seq_ = 0;  // of the next segment to get a POST, and of idle_
  unsigned early_answers_ = 0;  // to idle POSTs, in a row
  bool reset_pending_ = false;  // the next segment's POST carries Lp-Trickle-Reset
  bool reopen_ = true;          // create and number again before the next POST
  bool discarding_ = false;     // the rest of the segment being written was dropped
  bool closing_ = false;
  bool acknowledged_ = false;     // the server has taken a segment
  bool contact_lost_ = false;     // a connection broke since then
  bool server_was_down_ = false;  // or could not be made
  PublisherStats stats_;
};

}  // namespace framelock::trickle
