// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::nodes {

/// Bounds of a picture that is decoded, looked at before its pixels are.
struct PngLimits {
  std::uint32_t max_side = 16384;
  std::uint64_t max_pixels = 64ULL << 20;
};

/// A picture of 8 bits a channel, rows packed, red green blue alpha.
struct PngImage {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> rgba;
  /// Whether the file has an alpha channel, or a palette with transparent colours; a single
  /// transparent colour shows in `rgba` only.
  bool has_alpha = false;
};

/// Whether this build reads and writes PNG: it needs libpng.
bool PngIsBuiltIn();

/// Decodes a whole file. What Pillow gives: no colour management; of 16 bits a channel, the upper
/// 8; 16-bit grey clipped at 255. kInvalidArgument for what is no PNG or broken, kResourceLimit
/// beyond the limits.
Result<PngImage> DecodePng(std::string_view file, const PngLimits& limits = {});

/// Encodes rows of 3 (RGB) or 4 (RGBA) bytes a pixel, or 1 (grey).
struct PngPixels {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 3;
};
Result<std::string> EncodePng(const PngPixels& pixels);

}  // namespace framelock::nodes
