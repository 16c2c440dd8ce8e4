// SPDX-License-Identifier: Apache-2.0
#include "examples/frame_stamp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace framelock::demo {

namespace {

constexpr int kColumns = 32;
constexpr int kRows = 4;
constexpr int kRowsOfPicture = 128;  // a cell is 3/128 of the height
constexpr int kCellShare = 3;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 56) - 1;
constexpr std::uint32_t kPattern = 0b1100'1010'0101'0011;  // as many white cells as black ones
constexpr double kMinContrast = 24.0;                      // of 255, between white and black cells

using Cells = std::array<std::array<bool, kColumns>, kRows>;

std::uint32_t Crc24(const FrameStamp& stamp) {
  std::uint32_t crc = 0xB704CE;
  const std::uint64_t time = static_cast<std::uint64_t>(stamp.sent_at.count()) & kTimeMask;
  for (int byte = 10; byte >= 0; --byte) {
    const std::uint64_t value = byte >= 7 ? stamp.number >> ((byte - 7) * 8) : (time >> (byte * 8));
    crc ^= static_cast<std::uint32_t>(value & 0xFF) << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= 0x1864CFB;
    }
  }
  return crc & 0xFFFFFF;
}

void Put(std::array<bool, kColumns>& row, int first, int count, std::uint64_t bits) {
  for (int i = 0; i < count; ++i) row[first + i] = ((bits >> (count - 1 - i)) & 1) != 0;
}

std::uint64_t Get(const std::array<bool, kColumns>& row, int first, int count) {
  std::uint64_t bits = 0;
  for (int i = 0; i < count; ++i) bits = bits << 1 | (row[first + i] ? 1 : 0);
  return bits;
}

Cells Encode(const FrameStamp& stamp) {
  Cells cells{};
  const std::uint64_t time = static_cast<std::uint64_t>(stamp.sent_at.count()) & kTimeMask;
  Put(cells[0], 0, 32, stamp.number);
  Put(cells[1], 0, 32, time >> 24);
  Put(cells[2], 0, 24, time & 0xFFFFFF);
  Put(cells[2], 24, 8, kPattern >> 8);
  Put(cells[3], 0, 24, Crc24(stamp));
  Put(cells[3], 24, 8, kPattern & 0xFF);
  return cells;
}

int Edge(int index, int share, int parts, int size) { return index * share * size / parts; }

struct Box {
  int left, top, right, bottom;
};

Box CellBox(const PictureView& picture, int row, int column) {
  return {Edge(column, 1, kColumns, picture.width),
          Edge(row, kCellShare, kRowsOfPicture, picture.height),
          Edge(column + 1, 1, kColumns, picture.width),
          Edge(row + 1, kCellShare, kRowsOfPicture, picture.height)};
}

// The middle of a cell, where blur and ringing of the neighbours reach last.
Box Core(Box box) {
  const int x = (box.right - box.left) / 3;
  const int y = (box.bottom - box.top) * 2 / 5;
  return {box.left + x, box.top + y, std::max(box.right - x, box.left + x + 1),
          std::max(box.bottom - y, box.top + y + 1)};
}

double MeanLevel(const PictureView& picture, const Box& box) {
  const int channels = std::min(picture.channels, 3);
  double sum = 0;
  for (int y = box.top; y < box.bottom; ++y) {
    for (int x = box.left; x < box.right; ++x) {
      const std::uint8_t* pixel = picture.at(x, y);
      for (int c = 0; c < channels; ++c) sum += pixel[c];
    }
  }
  return sum / (channels * (box.right - box.left) * (box.bottom - box.top));
}

using Levels = std::array<std::array<double, kColumns>, kRows>;

Levels ReadLevels(const PictureView& picture) {
  Levels levels{};
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      levels[row][column] = MeanLevel(picture, Core(CellBox(picture, row, column)));
    }
  }
  return levels;
}

double PatternLevel(const Levels& levels, bool white) {
  double sum = 0;
  int count = 0;
  for (int i = 0; i < 16; ++i) {
    if ((((kPattern >> (15 - i)) & 1) != 0) != white) continue;
    sum += levels[2 + i / 8][24 + i % 8];
    ++count;
  }
  return sum / count;
}

bool FitsGrid(const PictureView& picture) {
  return picture.pixels != nullptr && picture.width >= kColumns && picture.height >= kRowsOfPicture;
}

}  // namespace

PictureView MiddleOf(const PictureView& shown, int width, int height) {
  const double scale = std::max(static_cast<double>(shown.width) / width,
                                static_cast<double>(shown.height) / height);
  PictureView middle = shown;
  middle.width = std::min(shown.width, static_cast<int>(std::lround(width / 2.0 * scale)));
  middle.height = std::min(shown.height, static_cast<int>(std::lround(height / 2.0 * scale)));
  middle.pixels = shown.at((shown.width - middle.width) / 2, (shown.height - middle.height) / 2);
  return middle;
}

int StampHeight(int picture_height) {
  return Edge(kRows, kCellShare, kRowsOfPicture, picture_height);
}

void DrawStamp(const PictureView& picture, const FrameStamp& stamp) {
  if (!FitsGrid(picture)) return;
  const Cells cells = Encode(stamp);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const Box box = CellBox(picture, row, column);
      const std::size_t bytes = static_cast<std::size_t>((box.right - box.left) * picture.channels);
      for (int y = box.top; y < box.bottom; ++y) {
        std::memset(picture.at(box.left, y), cells[row][column] ? 255 : 0, bytes);
      }
    }
  }
}

std::optional<ReadStamp> FindStamp(const PictureView& picture) {
  if (!FitsGrid(picture)) return std::nullopt;
  const Levels levels = ReadLevels(picture);
  const double white = PatternLevel(levels, true);
  const double black = PatternLevel(levels, false);
  if (std::abs(white - black) < kMinContrast) return std::nullopt;

  ReadStamp read{.inverted = white < black, .confidence = 1.0};
  const double middle = (white + black) / 2;
  Cells cells{};
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const double distance = levels[row][column] - middle;
      cells[row][column] = (distance > 0) != read.inverted;
      read.confidence = std::min(read.confidence, std::abs(distance) * 2 / std::abs(white - black));
    }
  }
  read.stamp.number = static_cast<std::uint32_t>(Get(cells[0], 0, 32));
  read.stamp.sent_at = std::chrono::microseconds(Get(cells[1], 0, 32) << 24 | Get(cells[2], 0, 24));
  const std::uint64_t pattern = Get(cells[2], 24, 8) << 8 | Get(cells[3], 24, 8);
  if (pattern != kPattern || Get(cells[3], 0, 24) != Crc24(read.stamp)) return std::nullopt;
  return read;
}

}  // namespace framelock::demo
