// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/ts_crc.h"

namespace framelock::test {

/// Writes MPEG-TS packets for tests: tables and the first packets of PES units, no real pictures.
class TsWriter {
 public:
  static constexpr std::uint16_t kPmtPid = 0x1000;
  static constexpr std::uint16_t kVideoPid = 0x100;
  static constexpr std::uint16_t kAudioPid = 0x101;

  struct Stream {
    unsigned type;
    std::uint16_t pid;
  };
  static constexpr Stream kVideo{0x1B, kVideoPid};  // H.264
  static constexpr Stream kAudio{0x0F, kAudioPid};  // AAC

  std::string Pat() {
    std::string section{"\x00\xB0\x0D\x00\x01\xC1\x00\x00\x00\x01", 10};
    AppendWord(section, 0xE000 | kPmtPid);
    return TablePackets(0, section);
  }

  /// `padding`: bytes of program descriptors, to make the table longer than a packet.
  std::string Pmt(const std::vector<Stream>& streams = {kVideo}, std::size_t padding = 0) {
    std::string body{"\x00\x01\xC1\x00\x00", 5};
    AppendWord(body, 0xE000 | kVideoPid);
    AppendWord(body, static_cast<unsigned>(0xF000 | padding));
    body.append(padding, '\x00');
    for (const Stream& stream : streams) {
      body += static_cast<char>(stream.type);
      AppendWord(body, 0xE000u | stream.pid);
      AppendWord(body, 0xF000);
    }
    std::string section(1, '\x02');
    AppendWord(section, static_cast<unsigned>(0xB000 | (body.size() + 4)));
    return TablePackets(kPmtPid, section + body);
  }

  /// First packet of a picture; a keyframe sets random_access_indicator.
  std::string Picture(std::uint64_t pts, std::string_view kind, std::uint16_t pid = kVideoPid) {
    std::string payload{"\x00\x00\x01\xE0\x00\x00\x80\x80\x05", 9};
    AppendStamp(payload, 2, pts);
    payload += kind;
    return Packet(pid, payload, Options{.start = true, .random_access = kind == "key"});
  }
  std::string Key(std::uint64_t pts) { return Picture(pts, "key"); }
  std::string Delta(std::uint64_t pts) { return Picture(pts, "delta"); }
  std::string Audio(std::uint64_t pts) { return Picture(pts, "audio", kAudioPid); }
  /// The first packet of a PES unit with the times that are given, or a packet with a clock alone.
  struct Times {
    std::optional<std::uint64_t> pts, dts, pcr;
    std::uint16_t pid = kVideoPid;
    std::uint8_t stream_id = 0xE0;
  };
  std::string Timed(const Times& times) {
    std::string field(1, times.pcr ? '\x10' : '\0');
    if (times.pcr) {
      for (const int shift : {25, 17, 9, 1}) field += static_cast<char>(*times.pcr >> shift);
      field += static_cast<char>((*times.pcr & 1) << 7 | 0x7E);
      field += '\0';
    }
    std::string pes;
    if (times.pts) {
      pes = std::string{"\x00\x00\x01", 3} + static_cast<char>(times.stream_id);
      pes += std::string{"\x00\x00\x80", 3};
      pes += times.dts ? std::string{"\xC0\x0A"} : std::string{"\x80\x05"};
      AppendStamp(pes, times.dts ? 3 : 2, *times.pts);
      if (times.dts) AppendStamp(pes, 1, *times.dts);
    }
    std::string packet = Header(times.pid, times.pts.has_value(), times.pts ? 3 : 2);
    field.resize(183 - pes.size(), '\xFF');
    return packet + static_cast<char>(field.size()) + field + pes;
  }
  /// A packet in the middle of a picture.
  std::string More() { return Packet(kVideoPid, std::string(184, 'm'), {}); }
  /// The packet that ends a picture, filled up.
  std::string Last(std::size_t bytes = 20) {
    return Packet(kVideoPid, std::string(bytes, 'l'), {});
  }

 private:
  struct Options {
    bool start = false;
    bool random_access = false;
  };

  static void AppendWord(std::string& text, unsigned word) {
    text += static_cast<char>(word >> 8);
    text += static_cast<char>(word);
  }

  static void AppendStamp(std::string& text, unsigned prefix, std::uint64_t stamp) {
    text += static_cast<char>(prefix << 4 | (stamp >> 29 & 0x0E) | 1);
    AppendWord(text, static_cast<unsigned>((stamp >> 15 & 0x7FFF) << 1 | 1));
    AppendWord(text, static_cast<unsigned>((stamp & 0x7FFF) << 1 | 1));
  }

  std::string TablePackets(std::uint16_t pid, std::string section) {
    const std::uint32_t crc = TsCrc(section);
    AppendWord(section, crc >> 16);
    AppendWord(section, crc);
    section.insert(0, 1, '\0');  // pointer_field
    std::string packets;
    bool start = true;
    while (!section.empty()) {
      const std::string part = section.substr(0, 184);
      section.erase(0, part.size());
      std::string packet = Header(pid, start, 1) + part;
      packet.resize(188, '\xFF');
      packets += packet;
      start = false;
    }
    return packets;
  }

  // Short payloads are filled up by the adaptation field, as muxers do.
  std::string Packet(std::uint16_t pid, std::string payload, Options options) {
    if (payload.size() == 184) return Header(pid, options.start, 1) + payload;
    const std::size_t length = 183 - payload.size();
    std::string packet = Header(pid, options.start, 3) + static_cast<char>(length);
    if (length == 0) return packet + payload;
    packet += options.random_access ? '\x40' : '\0';
    packet.append(length - 1, '\xFF');
    return packet + payload;
  }

  std::string Header(std::uint16_t pid, bool start, unsigned control) {
    std::string header = "G";
    AppendWord(header, (start ? 0x4000u : 0u) | pid);
    header += static_cast<char>(control << 4 | (counter_++ & 0x0F));
    return header;
  }

  unsigned counter_ = 0;
};

}  // namespace framelock::test
