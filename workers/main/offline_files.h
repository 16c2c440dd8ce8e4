// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::worker {

/// How the numbers of a raw file are stored; no header, rows packed, little endian.
enum class RawFormat { kFloat32, kByte };

/// A whole file; "-" is the standard input. At most `max_bytes`.
Result<std::string> ReadFile(const std::string& path, std::uint64_t max_bytes);

/// "1,24,32,3": batch, height, width, channels, each at least 1.
Result<graph::TensorShape> ParseShape(const std::string& text);

/// A raw file as a tensor; the file must have exactly the shape's size.
Result<graph::Tensor> ReadTensor(const std::string& path, RawFormat format,
                                 const graph::TensorShape& shape, graph::TensorPool& pool);
Status WriteTensor(const std::string& path, RawFormat format, const graph::Tensor& tensor);

}  // namespace framelock::worker
