// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/back_off.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/http_client.h"
#include "trickle/headers.h"
#include "trickle/segment_memory.h"
#include "trickle/subscriber.h"

namespace framelock::trickle {

/// The protocol logic of a subscriber, without sockets or threads: it is told what happened to its
/// requests and says through its Port what to do next. Owned by Subscriber (or a test), which calls
/// it from one thread at a time.
class SubscriberSession {
 public:
  class Port {
   public:
    virtual ~Port() = default;
    /// GET channel/seq; negative numbers are kWireNext and kWireCurrent.
    virtual net::TransferId StartGet(std::int64_t wire_seq) = 0;
    virtual void Cancel(net::TransferId id) = 0;
    virtual void ResumeBody(net::TransferId id) = 0;
    virtual bool HasRoom() = 0;
    virtual void Push(Piece piece) = 0;
    /// The session has ended; nothing comes after it.
    virtual void End(Error reason) = 0;
  };

  SubscriberSession(const SubscriberOptions& options, Port& port);

  void Start(SteadyTime now);
  void OnHead(net::TransferId id, const AnswerHead& head, SteadyTime now);
  net::BodyAction OnBody(net::TransferId id, std::span<const std::byte> bytes, SteadyTime now);
  void OnEnd(net::TransferId id, const Status& status, SteadyTime now);
  /// Does what is due. Call it when NextDeadline has passed and when the queue has room again.
  void OnTime(SteadyTime now);
  [[nodiscard]] std::optional<SteadyTime> NextDeadline() const;

  /// Without connections, segment_seq and queued_bytes, which the session does not know.
  [[nodiscard]] const SubscriberStats& stats() const { return stats_; }

 private:
  //            ┌────────────── 250 ms, back-off ─────────────┐
  //            ▼                                             │
  //   ──► kAsking ──200──► kReading ──connection broke──► kPausing
  //        │  ▲ └──470 ahead, 404, 5xx, no connection────────▲
  //        │  └─end of body: next GET takes over─┘
  //        └──Closed, 404 after a segment, refusals, gave up──► kEnded
  enum class State : std::uint8_t { kAsking, kReading, kPausing, kEnded };

  struct Attempt {
    net::TransferId id;
    SteadyTime started;
  };
  // One segment asked for: by one GET, or by two while a waiting one is being renewed.
  struct Fetch {
    std::int64_t wire_seq;
    std::vector<Attempt> attempts;
    SteadyTime renew_at;
    SteadyTime heard;  // when it last brought something, or could
    std::optional<AnswerHead> head;
    std::optional<Status> end;
    std::uint64_t skip = 0;      // bytes that were handed out before the connection broke
    std::uint64_t received = 0;  // body bytes of this answer, skipped ones included
    bool paused = false;
  };

  static constexpr std::chrono::milliseconds kTooEarlyPause{250};

  static std::string Describe(std::int64_t wire_seq);
  Fetch Request(std::int64_t wire_seq, SteadyTime now);
  void Ask(std::int64_t wire_seq, SteadyTime now);
  void AskLater(std::int64_t wire_seq, SteadyTime when);
  void Detour(std::int64_t wire_seq, SteadyTime now);
  void Drop(std::optional<Fetch>& fetch);
  std::optional<Fetch>* Find(net::TransferId id);
  void Renew(std::optional<Fetch>& fetch, SteadyTime now);

  void HeadOfCurrent(SteadyTime now);
  void EndOfCurrent(SteadyTime now);
  void SegmentEnded(SteadyTime now);
  void Promote(SteadyTime now);
  void Deliver(std::span<const std::byte> bytes);
  void BeginComparing();
  void Recognise(std::span<const std::byte> bytes);
  void Leave(std::string_view why, SteadyTime now);
  [[nodiscard]] std::optional<SteadyTime> SilentFrom() const;

  void NoAnswer(const Status& status, SteadyTime now);
  void Broken(const Status& status, SteadyTime now);
  void NoSuchSegment(SteadyTime now);
  void NotFound(SteadyTime now);
  void Refused(SteadyTime now);
  void RetryOrGiveUp(std::int64_t wire_seq, const Error& error, SteadyTime now);
  void Finish(Error reason);

  const SubscriberOptions options_;
  Port& port_;
  State state_ = State::kAsking;
  std::optional<Fetch> current_;
  std::optional<Fetch> next_;
  std::optional<SteadyTime> retry_at_;  // in kPausing
  std::int64_t retry_seq_ = 0;
  BackOff back_off_;
  SubscriberStats stats_;

  std::optional<std::uint64_t> expected_;  // number of the segment to be completed next
  std::uint64_t seq_ = 0;                  // of the segment being read
  std::uint64_t delivered_ = 0;            // bytes of expected_ that were handed out
  unsigned detours_ = 0;                   // answers without bytes in a row
  bool discontinuity_ = false;             // to be marked on the next piece
  SegmentMemory memory_;
  bool changed_ = false;               // perhaps another server, since the last piece
  bool repeats_ = false;               // the segment behind this one may have been had, too
  std::uint64_t doubtful_missed_ = 0;  // counted as missed when the numbering last went back
  bool seen_segment_ = false;
  bool contact_lost_ = false;  // a connection broke since the last answer other than 404
};

}  // namespace framelock::trickle
