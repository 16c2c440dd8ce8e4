// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/pes_ends.h"

#include <algorithm>
#include <array>

namespace framelock::stream {

namespace {

constexpr std::uint8_t kCounterMask = 0x0F;

// A PES header of a video stream (13818-1, 2.4.3.6): no flags, nothing in it. The length counts the
// three bytes behind it.
constexpr std::array<std::uint8_t, 9> kEmptyPes = {0, 0, 1, 0xE0, 0, 3, 0x80, 0, 0};

bool StartsVideoWithoutLength(std::span<const std::uint8_t> payload) {
  return payload.size() >= 6 && payload[0] == 0 && payload[1] == 0 && payload[2] == 1 &&
         (payload[3] & 0xF0) == 0xE0 && payload[4] == 0 && payload[5] == 0;
}

// mpegtsmux also makes a packet a byte or two short where the rest would just not fit into one.
constexpr std::size_t kLeastStuffing = 3;

// True if the adaptation field is there to fill the packet up: longer than its flags ask for.
bool IsFilledUp(const TsPacket& packet) {
  const auto field = TsHeader(packet).adaptation();
  if (field.empty()) return false;
  const std::uint8_t flags = field[0];
  std::size_t used = flags == 0 ? 0 : 1;
  if ((flags & 0x10) != 0) used += 6;  // PCR
  if ((flags & 0x08) != 0) used += 6;  // OPCR
  if ((flags & 0x04) != 0) used += 1;  // splice countdown
  // Private data, and the extension behind them.
  for (const std::uint8_t flag : {0x02, 0x01}) {
    if ((flags & flag) != 0) used += 1u + (used < field.size() ? field[used] : 0u);
  }
  return field.size() >= used + kLeastStuffing;
}

}  // namespace

void PesEnds::Watch(std::uint16_t pid) {
  if (pid_ == pid) return;
  *this = PesEnds();
  pid_ = pid;
}

PesEnds::Unit PesEnds::Push(TsPacket packet, std::vector<std::uint8_t>& out) {
  const TsHeader header(packet);
  if (header.pid() != pid_) {
    out.insert(out.end(), packet.begin(), packet.end());
    return Unit::kWhole;
  }
  if (Repeats(packet)) return Unit::kWhole;
  if (header.has_payload()) last_ = packet;
  const auto counter = static_cast<std::uint8_t>((header.continuity() + added_) & kCounterMask);
  packet[3] = static_cast<std::uint8_t>((packet[3] & ~kCounterMask) | counter);
  out.insert(out.end(), packet.begin(), packet.end());
  if (!header.has_payload()) return Unit::kWhole;
  const Unit unit = OnPayload(header);
  if (open_ == Open::kNone || open_ == Open::kEnded || !IsFilledUp(packet)) return unit;
  open_ = Open::kFilledUp;
  if (trusted()) {
    open_ = Open::kEnded;
    ++added_;
    AppendEnd((counter + 1) & kCounterMask, out);
  }
  return unit;
}

// A packet may be sent twice (13818-1, 2.4.3.3); the second one is no part of anything.
bool PesEnds::Repeats(const TsPacket& packet) const {
  const TsHeader header(packet);
  if (!last_ || !header.has_payload()) return false;
  const TsHeader before(*last_);
  return header.continuity() == before.continuity() &&
         std::ranges::equal(header.payload(), before.payload());
}

PesEnds::Unit PesEnds::OnPayload(const TsHeader& header) {
  if (header.starts_unit()) {
    if (open_ == Open::kFilledUp) ++proofs_;
    open_ = StartsVideoWithoutLength(header.payload()) ? Open::kGoesOn : Open::kNone;
    return Unit::kWhole;
  }
  const bool torn = open_ == Open::kEnded;
  if (torn || open_ == Open::kFilledUp) {
    broken_ = true;
    open_ = Open::kGoesOn;
  }
  return torn ? Unit::kTorn : Unit::kWhole;
}

void PesEnds::AppendEnd(std::uint8_t continuity, std::vector<std::uint8_t>& out) const {
  TsPacket packet;
  packet.fill(0xFF);
  packet[0] = kTsSyncByte;
  packet[1] = static_cast<std::uint8_t>(0x40 | *pid_ >> 8);
  packet[2] = static_cast<std::uint8_t>(*pid_ & 0xFF);
  packet[3] = static_cast<std::uint8_t>(0x30 | continuity);
  packet[4] = static_cast<std::uint8_t>(kTsPacketBytes - 5 - kEmptyPes.size());
  packet[5] = 0;
  std::copy(kEmptyPes.begin(), kEmptyPes.end(),
            packet.end() - static_cast<std::ptrdiff_t>(kEmptyPes.size()));
  out.insert(out.end(), packet.begin(), packet.end());
}

}  // namespace framelock::stream
