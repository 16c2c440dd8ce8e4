// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace framelock::stream::fake {

/// Stand-ins for Framelock's elements under their own names, so that the pipeline around them is
/// tested without network and worker: tricklesrc plays a script, tricklesink keeps what it gets,
/// workerfilter inverts in place.

using Bytes = std::vector<std::uint8_t>;

enum class AtEnd : std::uint8_t { kEndOfStream, kSilence };

struct Piece {
  Bytes bytes;
  bool discontinuity = false;
  std::chrono::milliseconds after{0};  // the one before it
};

/// Call once per process, after gst_init.
void Register();

/// What the next tricklesrc plays, and what every tricklesink has got since.
void Play(std::vector<Piece> pieces, AtEnd at_end);
Bytes Published();
/// The next stream's filter gives nothing for these pictures, counted from 0, first to last.
void Lose(int first, int last);
/// The next stream's filter asks upstream for this size when it has seen `pictures` pictures.
struct SizeWish {
  int pictures, width, height;
};
void WishFor(std::vector<SizeWish> wishes);
/// The properties that the last workerfilter was given: "name=value" in order.
std::vector<std::string> FilterSettings();
/// Cuts bytes into pieces of `size`.
std::vector<Piece> Cut(const Bytes& bytes, std::size_t size);

}  // namespace framelock::stream::fake
