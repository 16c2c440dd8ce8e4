// SPDX-License-Identifier: Apache-2.0
#include "workers/main/offline_files.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <span>
#include <vector>

#include "workers/graph/pixels.h"

namespace framelock::worker {

namespace {

static_assert(std::endian::native == std::endian::little, "raw files are little endian");

Result<std::string> ReadStream(std::istream& stream, const std::string& path,
                               std::uint64_t max_bytes) {
  std::string text;
  std::array<char, 65536> chunk;
  while (stream.read(chunk.data(), chunk.size()), stream.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > max_bytes) {
      return Error{ErrorCode::kResourceLimit,
                   path + " is longer than " + std::to_string(max_bytes) + " bytes"};
    }
  }
  if (stream.bad()) {
    return Error{ErrorCode::kInternal, "read " + path};
  }
  return text;
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, std::uint64_t max_bytes) {
  if (path == "-") {
    return ReadStream(std::cin, "the standard input", max_bytes);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return ErrnoError("open " + path);
  }
  return ReadStream(stream, path, max_bytes);
}

Result<graph::TensorShape> ParseShape(const std::string& text) {
  std::array<std::uint32_t, 4> sides{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, sides[i]);
    const bool last = i + 1 == sides.size();
    if (error != std::errc() || sides[i] == 0 ||
        (last ? next != end : next == end || *next != ',')) {
      return Error{ErrorCode::kInvalidArgument,
                   "--shape takes batch,height,width,channels, not '" + text + "'"};
    }
    at = next + 1;
  }
  return graph::TensorShape{sides[0], sides[1], sides[2], sides[3]};
}

Result<graph::Tensor> ReadTensor(const std::string& path, RawFormat format,
                                 const graph::TensorShape& shape, graph::TensorPool& pool) {
  Result<graph::Tensor> tensor = pool.Allocate(shape);
  if (!tensor.ok()) {
    return tensor;
  }
  const std::size_t wanted = tensor->size() * (format == RawFormat::kByte ? 1 : sizeof(float));
  const Result<std::string> file = ReadFile(path, wanted);
  if (!file.ok()) {
    return file.error();
  }
  if (file->size() != wanted) {
    return Error{ErrorCode::kInvalidArgument, path + " has " + std::to_string(file->size()) +
                                                  " bytes; shape " + shape.ToString() + " needs " +
                                                  std::to_string(wanted)};
  }
  if (format == RawFormat::kByte) {
    graph::BytesToFloats(std::as_bytes(std::span(*file)), {tensor->mutable_data(), tensor->size()});
  } else {
    std::memcpy(tensor->mutable_data(), file->data(), wanted);
  }
  return tensor;
}

Status WriteTensor(const std::string& path, RawFormat format, const graph::Tensor& tensor) {
  std::vector<std::byte> bytes(tensor.size() * (format == RawFormat::kByte ? 1 : sizeof(float)));
  if (format == RawFormat::kByte) {
    graph::FloatsToBytes(tensor.values(), bytes);
  } else if (!bytes.empty()) {
    std::memcpy(bytes.data(), tensor.data(), bytes.size());
  }
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    return ErrnoError("write " + path);
  }
  return {};
}

}  // namespace framelock::worker
