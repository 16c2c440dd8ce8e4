// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/png_image.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#ifdef FRAMELOCK_PNG
#include <png.h>

#include <csetjmp>
#endif

namespace framelock::nodes {

#ifdef FRAMELOCK_PNG

namespace {

constexpr std::size_t kMostChunkBytes = 8U << 20;  // of text, profiles and the like
constexpr int kMostChunks = 256;
constexpr int kCompression = 4;  // as ComfyUI saves

// What libpng's callbacks see. libpng leaves a function by longjmp when something is wrong, so the
// functions between setjmp and the library own nothing.
struct PngState {
  std::string_view input;
  std::string output;
  char message[128] = "";
};

void OnError(png_structp png, png_const_charp text) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, text, sizeof(state->message) - 1);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, std::size_t count) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (count > state->input.size()) {
    png_error(png, "the file ends early");
  }
  std::memcpy(out, state->input.data(), count);
  state->input.remove_prefix(count);
}

void WriteBytes(png_structp png, png_bytep bytes, std::size_t count) {
  static_cast<PngState*>(png_get_io_ptr(png))
      ->output.append(reinterpret_cast<const char*>(bytes), count);
}

// Owns the library's two structs.
struct Reader {
  explicit Reader(PngState& state)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, OnError, OnWarning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {}
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  png_structp png;
  png_infop info;
};

struct Writer {
  explicit Writer(PngState& state)
      : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, OnError, OnWarning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {}
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  png_structp png;
  png_infop info;
};

struct Header {
  png_uint_32 width = 0;
  png_uint_32 height = 0;
  int depth = 0;
  int colour = 0;
  bool transparent = false;  // a tRNS chunk
};

bool ReadHeader(const Reader& reader, PngState& state, const PngLimits& limits, Header& header) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) {
    return false;
  }
  png_set_user_limits(reader.png, limits.max_side, limits.max_side);
  png_set_chunk_malloc_max(reader.png, kMostChunkBytes);
  png_set_chunk_cache_max(reader.png, kMostChunks);
  png_set_read_fn(reader.png, &state, ReadBytes);
  png_read_info(reader.png, reader.info);
  png_get_IHDR(reader.png, reader.info, &header.width, &header.height, &header.depth,
               &header.colour, nullptr, nullptr, nullptr);
  header.transparent = png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
  return true;
}

bool IsDeepGrey(const Header& header) {
  return header.depth == 16 && header.colour == PNG_COLOR_TYPE_GRAY;
}

// All rows as RGBA of 8 bits; grey of 16 bits as it is.
bool ReadRows(const Reader& reader, const Header& header, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) {
    return false;
  }
  if (!IsDeepGrey(header)) {
    png_set_expand(reader.png);
    png_set_strip_16(reader.png);
    png_set_gray_to_rgb(reader.png);
    png_set_add_alpha(reader.png, 0xFF, PNG_FILLER_AFTER);
  }
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  png_read_image(reader.png, rows);
  return true;
}

bool WriteRows(const Writer& writer, PngState& state, const PngPixels& pixels, int colour) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) {
    return false;
  }
  png_set_write_fn(writer.png, &state, WriteBytes, nullptr);
  png_set_compression_level(writer.png, kCompression);
  png_set_IHDR(writer.png, writer.info, pixels.width, pixels.height, 8, colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  const std::size_t row = std::size_t{pixels.width} * pixels.channels;
  for (std::uint32_t y = 0; y < pixels.height; ++y) {
    png_write_row(writer.png, pixels.bytes + y * row);
  }
  png_write_end(writer.png, writer.info);
  return true;
}

Error BadPng(const PngState& state) {
  return {ErrorCode::kInvalidArgument, std::string("no PNG that can be read: ") + state.message};
}

// Two bytes each to red, green, blue and alpha.
void SpreadDeepGrey(PngImage& image) {
  const std::size_t count = std::size_t{image.width} * image.height;
  std::vector<std::uint8_t> rgba(count * 4);
  for (std::size_t i = 0; i < count; ++i) {
    const bool high = image.rgba[2 * i] != 0;
    const std::uint8_t grey = high ? 0xFF : image.rgba[2 * i + 1];
    std::fill_n(&rgba[4 * i], 3, grey);
    rgba[4 * i + 3] = 0xFF;
  }
  image.rgba = std::move(rgba);
}

}  // namespace

bool PngIsBuiltIn() { return true; }

Result<PngImage> DecodePng(std::string_view file, const PngLimits& limits) {
  PngState state{.input = file};
  const Reader reader(state);
  Header header;
  if (reader.info == nullptr || !ReadHeader(reader, state, limits, header)) {
    return BadPng(state);
  }
  if (std::uint64_t{header.width} * header.height > limits.max_pixels) {
    return Error{ErrorCode::kResourceLimit, "a picture of " + std::to_string(header.width) + "x" +
                                                std::to_string(header.height) + " is larger than " +
                                                std::to_string(limits.max_pixels) + " pixels"};
  }
  PngImage image{.width = header.width, .height = header.height};
  image.has_alpha = (header.colour & PNG_COLOR_MASK_ALPHA) != 0 ||
                    (header.colour == PNG_COLOR_TYPE_PALETTE && header.transparent);
  const std::size_t row = std::size_t{image.width} * (IsDeepGrey(header) ? 2 : 4);
  image.rgba.resize(row * image.height);
  std::vector<png_bytep> rows(image.height);
  for (std::size_t y = 0; y < rows.size(); ++y) {
    rows[y] = image.rgba.data() + y * row;
  }
  if (!ReadRows(reader, header, rows.data())) {
    return BadPng(state);
  }
  if (IsDeepGrey(header)) {
    SpreadDeepGrey(image);
  }
  return image;
}

Result<std::string> EncodePng(const PngPixels& pixels) {
  PngState state;
  const Writer writer(state);
  const int colour = pixels.channels == 1   ? PNG_COLOR_TYPE_GRAY
                     : pixels.channels == 3 ? PNG_COLOR_TYPE_RGB
                                            : PNG_COLOR_TYPE_RGBA;
  if (writer.info == nullptr || !WriteRows(writer, state, pixels, colour)) {
    return Error{ErrorCode::kInternal, std::string("write PNG: ") + state.message};
  }
  return std::move(state.output);
}

#else

namespace {
Error NotBuiltIn() {
  return {ErrorCode::kUnavailable, "this worker was built without libpng and has no picture files"};
}
}  // namespace

bool PngIsBuiltIn() { return false; }
Result<PngImage> DecodePng(std::string_view, const PngLimits&) { return NotBuiltIn(); }
Result<std::string> EncodePng(const PngPixels&) { return NotBuiltIn(); }

#endif

}  // namespace framelock::nodes
