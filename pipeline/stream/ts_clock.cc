// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_clock.h"

#include <algorithm>

namespace framelock::stream {

namespace {

constexpr TsTicks kNoTicks{0};
// tsdemux guesses the time over a longer step of the programme clock.
constexpr TsTicks kClockStep{36'000};
// Between the PIDs of one programme, and from the programme clock to the decoding times.
constexpr TsTicks kInterleave = std::chrono::seconds(10);
// H.264 reorders over 16 pictures at most.
constexpr TsTicks kReorder = std::chrono::seconds(1);
// A leader that is silent for so long has gone.
constexpr std::chrono::seconds kSilence{1};
constexpr std::size_t kFormerOffsets = 4;

bool IsBeside(TsTicks step) { return std::chrono::abs(step) < kInterleave; }

}  // namespace

void TsClock::AnnounceHole() {
  for (Pid& pid : pids_) {
    if (pid.track) pid.track->AnnounceHole();
  }
}

void TsClock::Rewrite(TsPacket& packet, SteadyTime now, std::vector<TsPacket>& before) {
  const TsHeader header(packet);
  const std::uint16_t number = header.pid();
  const std::optional<PesStamps> stamps = ReadPesStamps(packet);
  const std::optional<TsStamp> clock = ProgramClock(packet);
  Pid* pid = stamps || clock ? FindOrAdd(number) : Find(number);
  fill_left_ = std::min(fill_left_ + options_.fill_per_packet, options_.max_fill);
  if (clock) SeeClock(*clock);
  if (stamps) MovePesStamps(packet, pid != nullptr ? Move(*pid, *stamps, now) : offset_);
  if (stamps || clock) FillClock(before);
  if (pid == nullptr) return;
  if (clock) SendClock(*pid, packet, *clock);
  if (header.has_payload()) pid->continuity = header.continuity();
}

TsClock::Pid* TsClock::Find(std::uint16_t number) {
  const auto found = std::ranges::find(pids_, number, &Pid::number);
  return found == pids_.end() ? nullptr : &*found;
}

TsClock::Pid* TsClock::FindOrAdd(std::uint16_t number) {
  if (Pid* pid = Find(number)) return pid;
  if (pids_.size() >= options_.max_pids) return nullptr;
  return &pids_.emplace_back(Pid{.number = number, .track = {}, .strayed_from = {}, .clock = {}});
}

TsTicks TsClock::Move(Pid& pid, const PesStamps& stamps, SteadyTime now) {
  const TsStamp stamp = stamps.decode_time();
  pid.video = stamps.is_video();
  pid.has_dts = pid.has_dts || stamps.dts;
  const bool goes_on = pid.track || Begin(pid, stamp, now) == Place::kBehind;
  ChooseLeader(pid, now);
  if (&pid == leader_) pid.track->Resume(stamp);
  if (goes_on) pid.track->Take(stamp, OffsetFor(pid, stamp, now), now);
  NoteEpoch();
  return pid.track->offset();
}

// Video continues what video there was; anything else stands beside the leader.
TsClock::Place TsClock::Begin(Pid& pid, TsStamp stamp, SteadyTime now) {
  if (leader_ == nullptr) {
    pid.track.emplace(options_.rules, stamp, now);
    for (Pid& other : pids_) {  // clocks that came before it are on the same line, or wrong
      if (!other.clock) continue;
      const TsTicks distance = TsStamp(*other.clock) - stamp;
      other.clock.reset();
      if (IsBeside(distance)) other.clock = pid.track->last() + distance;
    }
    return Place::kHere;
  }
  const TsLine& leader = *leader_->track;
  const bool beside = (!pid.video || !leader_->video) && IsBeside(leader.StepTo(stamp, offset_));
  pid.track = beside ? TsLine::Beside(leader, stamp, now) : TsLine::Behind(leader);
  return beside ? Place::kHere : Place::kBehind;
}

void TsClock::ChooseLeader(Pid& pid, SteadyTime now) {
  const bool free = leader_ == nullptr || (pid.video && !leader_->video) ||
                    (pid.video && now - leader_->track->seen() > kSilence);
  if (free) leader_ = &pid;
}

TsTicks TsClock::OffsetFor(Pid& pid, TsStamp stamp, SteadyTime now) const {
  if (IsReordered(pid, stamp)) return pid.track->offset();
  return &pid == leader_ ? LeadersOffset(pid, stamp, now) : FollowersOffset(pid, stamp, now);
}

TsTicks TsClock::LeadersOffset(const Pid& pid, TsStamp stamp, SteadyTime now) const {
  const TsLine& track = *pid.track;
  const auto fits = [&](TsTicks offset) {
    return track.Fits(stamp, offset, TsLine::Order::kStrict, now);
  };
  if (fits(track.offset())) return track.offset();
  const auto known = std::ranges::find_if(former_, fits);
  return known != former_.end() ? *known : track.OffsetToGoOn(stamp, now);
}

// A PID whose stamps jump before the leader's do cannot know yet where the leader goes: it takes up
// the leader's offset as soon as there is a new one. One that comes behind keeps its own for what
// is left of the old times.
TsTicks TsClock::FollowersOffset(Pid& pid, TsStamp stamp, SteadyTime now) const {
  const TsLine& track = *pid.track;
  const TsLine::Order order = pid.video ? TsLine::Order::kStrict : TsLine::Order::kLoose;
  const TsTicks step = track.StepTo(stamp, offset_);
  const TsTicks own_step = track.StepTo(stamp, track.offset());
  const bool beside = !pid.video && IsBeside(step);
  if (beside && pid.strayed_from && *pid.strayed_from != offset_) {
    pid.strayed_from.reset();
    return offset_;
  }
  const bool own = track.Fits(stamp, track.offset(), order, now);
  const TsTicks usual = track.usual_step();
  const bool nearer = std::chrono::abs(step - usual) < std::chrono::abs(own_step - usual);
  if (track.Fits(stamp, offset_, order, now) && (!own || nearer)) return offset_;
  if (!own || own_step < kNoTicks) pid.strayed_from = offset_;
  if (own) return track.offset();
  return beside ? offset_ : track.OffsetToGoOn(stamp, now);
}

// Some muxers leave the decoding times out. The programme clock still goes on then.
bool TsClock::IsReordered(const Pid& pid, TsStamp stamp) const {
  if (!pid.video || pid.has_dts || !seen_clock_ || clock_jumped_) return false;
  const TsTicks step = pid.track->StepTo(stamp, pid.track->offset());
  return step <= kNoTicks && step > -kReorder && stamp - *seen_clock_ >= kNoTicks;
}

void TsClock::NoteEpoch() {
  const TsTicks offset = leader_->track->offset();
  if (offset == offset_) return;
  former_.push_front(offset_);
  if (former_.size() > kFormerOffsets) former_.pop_back();
  offset_ = offset;
  clock_jumped_ = false;
  ++epochs_;
}

void TsClock::SeeClock(TsStamp clock) {
  if (seen_clock_ && clock - *seen_clock_ < kNoTicks) clock_jumped_ = true;
  seen_clock_ = clock;
}

// What the programme clock must say when the leader is where it is.
TsTicks TsClock::ClockNow() {
  const TsLine& leader = *leader_->track;
  if (!lead_ && seen_clock_) {
    const TsTicks lead = -leader.StepTo(*seen_clock_, leader.offset());
    lead_ = lead >= kNoTicks && lead < kInterleave ? lead : kNoTicks;
  }
  return leader.settled() - lead_.value_or(kNoTicks);
}

void TsClock::SendClock(Pid& pid, TsPacket& packet, TsStamp clock) {
  clock_pid_ = &pid;
  if (leader_ == nullptr) {
    pid.clock = TsTicks(static_cast<std::int64_t>(clock.ticks()));
    return;
  }
  const TsTicks sent = pid.clock.value_or(ClockNow());
  pid.clock = std::max(sent, ClockNow());
  SetProgramClock(packet, TsStamp(*pid.clock));
}

// The demuxer reads one programme's clock: the leader's own, or what came last.
void TsClock::FillClock(std::vector<TsPacket>& before) {
  if (leader_ == nullptr) return;
  const TsTicks clock = ClockNow();
  FillClock(*leader_, clock, before);
  if (clock_pid_ != nullptr && clock_pid_ != leader_) FillClock(*clock_pid_, clock, before);
}

void TsClock::FillClock(Pid& pid, TsTicks clock, std::vector<TsPacket>& before) {
  while (pid.clock && clock - *pid.clock > kClockStep) {
    if (fill_left_ == 0) {
      pid.clock = clock;
      return;
    }
    --fill_left_;
    *pid.clock += kClockStep;
    before.push_back(ClockPacket(pid.number, pid.continuity, TsStamp(*pid.clock)));
  }
}

}  // namespace framelock::stream
