// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/pes_ends.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/stream/h264_nal.h"

namespace framelock::stream {

namespace {

constexpr std::uint8_t kCounterMask = 0x0F;
constexpr std::uint8_t kJump = 8;  // neither the next counter nor the same

// A PES header of a video stream (13818-1, 2.4.3.6): no flags, nothing in it. The length counts the
// three bytes behind it.
constexpr std::array<std::uint8_t, 9> kEmptyPes = {0, 0, 1, 0xE0, 0, 3, 0x80, 0, 0};

constexpr auto PesOf(const PesEnds::Mark& mark) {
  std::array<std::uint8_t, kEmptyPes.size() + PesEnds::kHoleMark.size()> pes{};
  std::copy(kEmptyPes.begin(), kEmptyPes.end(), pes.begin());
  pes[5] = static_cast<std::uint8_t>(kEmptyPes[5] + mark.size());
  std::copy(mark.begin(), mark.end(), pes.begin() + kEmptyPes.size());
  return pes;
}
constexpr auto kHolePes = PesOf(PesEnds::kHoleMark);
constexpr auto kSeamPes = PesOf(PesEnds::kSeamMark);
constexpr auto kNextPes = PesOf(PesEnds::kNextMark);

constexpr std::size_t kPesStart = 6;  // start code, stream id, length

bool StartsPes(std::span<const std::uint8_t> payload) {
  return payload.size() >= kPesStart && payload[0] == 0 && payload[1] == 0 && payload[2] == 1;
}

// As its header says; 0: it does not.
std::size_t BytesOfPes(std::span<const std::uint8_t> payload) {
  if (!StartsPes(payload)) return 0;
  const std::size_t length = static_cast<std::size_t>(payload[4]) << 8 | payload[5];
  return length == 0 ? 0 : kPesStart + length;
}

bool StartsVideoWithoutLength(std::span<const std::uint8_t> payload) {
  return StartsPes(payload) && (payload[3] & 0xF0) == 0xE0 && BytesOfPes(payload) == 0;
}

// As far as the payload of the PES packet's first transport packet tells.
bool BeginsAccessUnit(std::span<const std::uint8_t> payload) {
  constexpr std::size_t kHeaderBytes = 9;
  if (!StartsPes(payload) || payload.size() < kHeaderBytes) return false;
  const std::size_t header = kHeaderBytes + payload[kHeaderBytes - 1];
  if (payload.size() < header) return false;
  const auto nal = FindNal(payload.subspan(header), 0);
  return nal && nal->offset == 0 && nal->may_begin;
}

// Fewer bytes than that are filled up barely.
constexpr std::size_t kClearStuffing = 3;

}  // namespace

// The adaptation field is there to fill the packet up if it is longer than its flags ask for.
PesEnds::Filling PesEnds::FillingOf(const TsPacket& packet) {
  const TsHeader header(packet);
  if (!header.has_payload() || !header.has_adaptation()) return Filling::kNone;
  const auto field = header.adaptation();
  const std::uint8_t flags = field.empty() ? 0 : field[0];
  std::size_t used = flags == 0 ? 0 : 1;
  if ((flags & 0x10) != 0) used += 6;  // PCR
  if ((flags & 0x08) != 0) used += 6;  // OPCR
  if ((flags & 0x04) != 0) used += 1;  // splice countdown
  // Private data, and the extension behind them.
  for (const std::uint8_t flag : {0x02, 0x01}) {
    if ((flags & flag) != 0) used += 1u + (used < field.size() ? field[used] : 0u);
  }
  if (field.size() >= used + kClearStuffing) return Filling::kClearly;
  return flags == 0 || field.size() > used ? Filling::kBarely : Filling::kNone;
}

void PesEnds::Watch(std::uint16_t pid, Marks marks) {
  if (pid_ == pid && marks_ == marks) return;
  *this = PesEnds();
  pid_ = pid;
  marks_ = marks;
}

void PesEnds::MarkHole(std::vector<std::uint8_t>& out) {
  open_ = Open::kNone;
  whole_ = 0;
  seams_.Forget();
  for (Evidence* evidence : {&clearly_, &barely_, &lengths_}) evidence->Forget();
  if (!pid_) return;
  leave_out_ = true;
  if (marks_ == Marks::kUnit) {
    AppendPes(kHolePes, out);
  } else if (sent_) {
    // Not where a PES packet begins: the demuxer would give out the torn one before it looks.
    *sent_ = (*sent_ + kJump) & kCounterMask;
    TsPacket nothing;
    nothing.fill(0xFF);
    nothing[0] = kTsSyncByte;
    nothing[1] = static_cast<std::uint8_t>(*pid_ >> 8);
    nothing[2] = static_cast<std::uint8_t>(*pid_ & 0xFF);
    nothing[3] = 0x10;
    Append(nothing, out);
  }
}

PesEnds::Unit PesEnds::MarkJump(const TsPacket& next, std::vector<std::uint8_t>& out) {
  if (marks_ == Marks::kNone || !TsHeader(next).starts_unit() || !whole()) {
    MarkHole(out);
    return Unit::kTorn;
  }
  open_ = Open::kNone;
  whole_ = 0;
  const bool keep = seams_.Keep(clearly_.earned() || lengths_.earned());
  for (Evidence* evidence : {&clearly_, &barely_, &lengths_}) evidence->Renew(keep);
  AppendPes(kSeamPes, out);  // which ends what is open
  return Unit::kWhole;
}

// Whether the last PES packet has come to its end.
bool PesEnds::whole() const {
  if (whole_ > 0) return bytes_ == whole_;
  if (open_ != Open::kFilledUp) return open_ == Open::kEnded;
  return clearly_.proven && !clearly_.broken && (filling_ == Filling::kClearly || !barely_.broken);
}

// Another one begins: whether the last one is as long as it says.
PesEnds::Unit PesEnds::EndPes() {
  if (whole_ == 0) return Unit::kWhole;
  if (bytes_ == whole_) {
    lengths_.Prove();
  } else if (lengths_.trusted()) {
    return Unit::kTorn;
  } else if (!lengths_.earned_once) {
    lengths_.broken = true;
  }
  return Unit::kWhole;
}

PesEnds::Unit PesEnds::Push(TsPacket packet, std::vector<std::uint8_t>& out) {
  const TsHeader header(packet);
  if (header.pid() != pid_) {
    out.insert(out.end(), packet.begin(), packet.end());
    return Unit::kWhole;
  }
  Unit unit = Unit::kWhole;
  if (header.has_payload()) {
    if (header.starts_unit() && EndPes() == Unit::kTorn) {
      MarkHole(out);
      unit = Unit::kTorn;
    }
    if (leave_out_ && !header.starts_unit()) return Unit::kWhole;
    const bool follows = !std::exchange(leave_out_, false);
    if (follows && marks_ == Marks::kUnit && header.starts_unit() &&
        BeginsAccessUnit(header.payload())) {
      AppendPes(kNextPes, out);
    }
    if (!OnPayload(header)) {
      MarkHole(out);
      return Unit::kTorn;
    }
  }
  Append(packet, out);
  if (open_ != Open::kGoesOn) return unit;
  const Filling filling = FillingOf(packet);
  if (filling == Filling::kNone) return unit;
  if (filling == Filling::kBarely && bytes_ > kLengthPossible) return unit;
  filling_ = filling;
  by_one_ = header.adaptation().empty();
  open_ = Open::kFilledUp;
  if (trusted()) {
    open_ = Open::kEnded;
    AppendPes(kEmptyPes, out);
  }
  return unit;
}

void PesEnds::Prove() {
  if (filling_ == Filling::kClearly) {
    clearly_.Prove();
  } else if (by_one_) {
    barely_.Prove(kProofs);
  }
}

// False: it goes on behind its end.
bool PesEnds::OnPayload(const TsHeader& header) {
  if (header.starts_unit()) {
    if (open_ == Open::kFilledUp || open_ == Open::kEnded) Prove();
    open_ = StartsVideoWithoutLength(header.payload()) ? Open::kGoesOn : Open::kNone;
    bytes_ = header.payload().size();
    whole_ = BytesOfPes(header.payload());
    return true;
  }
  bytes_ += header.payload().size();
  if (whole_ > 0) return bytes_ <= whole_ || !lengths_.trusted();
  const bool torn = open_ == Open::kEnded;
  if (torn || open_ == Open::kFilledUp) {
    evidence().broken = true;
    open_ = Open::kGoesOn;
  }
  return !torn;
}

// With the counter that comes next.
void PesEnds::Append(TsPacket packet, std::vector<std::uint8_t>& out) {
  const TsHeader header(packet);
  if (!sent_) {
    sent_ = header.continuity();
  } else if (header.has_payload()) {
    *sent_ = (*sent_ + 1) & kCounterMask;
  }
  packet[3] = static_cast<std::uint8_t>((packet[3] & ~kCounterMask) | *sent_);
  out.insert(out.end(), packet.begin(), packet.end());
}

void PesEnds::AppendPes(std::span<const std::uint8_t> pes, std::vector<std::uint8_t>& out) {
  TsPacket packet;
  packet.fill(0xFF);
  packet[0] = kTsSyncByte;
  packet[1] = static_cast<std::uint8_t>(0x40 | *pid_ >> 8);
  packet[2] = static_cast<std::uint8_t>(*pid_ & 0xFF);
  packet[3] = 0x30;
  packet[4] = static_cast<std::uint8_t>(kTsPacketBytes - 5 - pes.size());
  packet[5] = 0;
  std::copy(pes.begin(), pes.end(), packet.end() - static_cast<std::ptrdiff_t>(pes.size()));
  Append(packet, out);
}

}  // namespace framelock::stream
