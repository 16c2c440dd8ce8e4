// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
    return TablePackets(0, section + "crc!");
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
    body += "crc!";
    std::string section(1, '\x02');
    AppendWord(section, static_cast<unsigned>(0xB000 | body.size()));
    return TablePackets(kPmtPid, section + body);
  }

  /// First packet of a picture; a keyframe sets random_access_indicator.
  std::string Picture(std::uint64_t pts, std::string_view kind, std::uint16_t pid = kVideoPid) {
    std::string payload{"\x00\x00\x01\xE0\x00\x00\x80\x80\x05", 9};
    payload += static_cast<char>(0x21 | (pts >> 29 & 0x0E));
    AppendWord(payload, static_cast<unsigned>((pts >> 15 & 0x7FFF) << 1 | 1));
    AppendWord(payload, static_cast<unsigned>((pts & 0x7FFF) << 1 | 1));
    payload += kind;
    return Packet(pid, payload, Options{.start = true, .random_access = kind == "key"});
  }
  std::string Key(std::uint64_t pts) { return Picture(pts, "key"); }
  std::string Delta(std::uint64_t pts) { return Picture(pts, "delta"); }
  std::string Audio(std::uint64_t pts) { return Picture(pts, "audio", kAudioPid); }
  /// A packet in the middle of a picture.
  std::string More() { return Packet(kVideoPid, std::string(184, 'm'), {}); }

 private:
  struct Options {
    bool start = false;
    bool random_access = false;
  };

  static void AppendWord(std::string& text, unsigned word) {
    text += static_cast<char>(word >> 8);
    text += static_cast<char>(word);
  }

  std::string TablePackets(std::uint16_t pid, std::string section) {
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
