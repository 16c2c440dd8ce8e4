// SPDX-License-Identifier: Apache-2.0
#include "examples/test_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>

namespace framelock::demo {

namespace {

struct Rgb {
  std::uint8_t red, green, blue;
};

constexpr Rgb kWhite{240, 240, 240};
constexpr Rgb kDark{24, 24, 28};

// A full turn of the colour wheel, soft enough for a low bitrate.
std::array<Rgb, 256> Wheel(int hue_degrees) {
  std::array<Rgb, 256> wheel{};
  for (int i = 0; i < 256; ++i) {
    const double angle = (i / 256.0 + hue_degrees / 360.0) * 2 * std::numbers::pi;
    const auto channel = [angle](double shift) {
      return static_cast<std::uint8_t>(128 + 80 * std::sin(angle + shift));
    };
    wheel[i] = {channel(0), channel(2 * std::numbers::pi / 3), channel(4 * std::numbers::pi / 3)};
  }
  return wheel;
}

void Set(const PictureView& picture, int x, int y, Rgb color) {
  std::uint8_t* pixel = picture.at(x, y);
  pixel[0] = color.red;
  pixel[1] = color.green;
  pixel[2] = color.blue;
  if (picture.channels > 3) pixel[3] = 255;
}

void Fill(const PictureView& picture, int left, int top, int width, int height, Rgb color) {
  const int right = std::min(left + width, picture.width);
  const int bottom = std::min(top + height, picture.height);
  for (int y = std::max(top, 0); y < bottom; ++y) {
    for (int x = std::max(left, 0); x < right; ++x) Set(picture, x, y, color);
  }
}

void DrawBackground(const PictureView& picture, const TestPicture& content) {
  const std::array<Rgb, 256> wheel = Wheel(content.hue_degrees);
  const auto drift = static_cast<int>(content.number % 256);
  for (int y = 0; y < picture.height; ++y) {
    const int row = y * 160 / picture.height + drift;
    for (int x = 0; x < picture.width; ++x) {
      Set(picture, x, y, wheel[(row + x * 96 / picture.width) & 255]);
    }
  }
}

// There and back again between 0 and `range`.
int Bounce(std::uint32_t position, int range) {
  if (range <= 0) return 0;
  const auto at = static_cast<int>(position % static_cast<std::uint32_t>(2 * range));
  return at < range ? at : 2 * range - at;
}

void DrawDisc(const PictureView& picture, const TestPicture& content) {
  const int radius = std::min(picture.width, picture.height) / 12;
  const int center_x = radius + Bounce(content.number * 4, picture.width - 2 * radius);
  const int center_y = radius + Bounce(content.number * 3, picture.height - 2 * radius);
  for (int y = -radius; y < radius; ++y) {
    const int half = static_cast<int>(std::sqrt(static_cast<double>(radius * radius - y * y)));
    Fill(picture, center_x - half, center_y + y, 2 * half, 1, kWhite);
  }
}

// Seven segments: bit 0 top, then clockwise from the upper right, bit 6 the middle.
int Segments(char digit) {
  constexpr std::array kDigits = {0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F};
  return digit >= '0' && digit <= '9' ? kDigits[static_cast<std::size_t>(digit - '0')] : 0;
}

void DrawDigit(const PictureView& picture, int x, int y, int size, char digit) {
  const int stroke = std::max(size / 8, 1);
  const int width = size / 2;
  const int half = size / 2;
  if (digit == ':' || digit == '.') {
    const int middle = x + width / 2;
    Fill(picture, middle, y + size - stroke, stroke, stroke, kWhite);
    if (digit == ':') Fill(picture, middle, y + half - stroke, stroke, stroke, kWhite);
    return;
  }
  const int lit = Segments(digit);
  const auto bar = [&](int bit, int left, int top, int bar_width, int bar_height) {
    if ((lit >> bit & 1) != 0) Fill(picture, x + left, y + top, bar_width, bar_height, kWhite);
  };
  bar(0, 0, 0, width, stroke);
  bar(1, width - stroke, 0, stroke, half);
  bar(2, width - stroke, half, stroke, size - half);
  bar(3, 0, size - stroke, width, stroke);
  bar(4, 0, half, stroke, size - half);
  bar(5, 0, 0, stroke, half);
  bar(6, 0, half - stroke / 2, width, stroke);
}

void DrawLine(const PictureView& picture, int top, int size, const std::string& text) {
  const int advance = size * 7 / 10;
  const int width = static_cast<int>(text.size()) * advance;
  const int left = (picture.width - width) / 2;
  Fill(picture, left - size / 4, top - size / 4, width + size / 2, size + size / 2, kDark);
  for (std::size_t i = 0; i < text.size(); ++i) {
    DrawDigit(picture, left + static_cast<int>(i) * advance, top, size, text[i]);
  }
}

std::string ClockText(std::chrono::milliseconds clock) {
  const long long ms = clock.count();
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02lld:%02lld.%03lld", ms / 60'000 % 100, ms / 1000 % 60,
                ms % 1000);
  return text.data();
}

}  // namespace

void DrawTestPicture(const PictureView& picture, const TestPicture& content) {
  DrawBackground(picture, content);
  DrawDisc(picture, content);
  const int size = picture.height / 8;
  DrawLine(picture, picture.height * 3 / 8, size, ClockText(content.clock));
  DrawLine(picture, picture.height * 5 / 8, size, std::to_string(content.number));
}

}  // namespace framelock::demo
