// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/save_picture.h"

#include <array>
#include <ctime>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/graph/pixels.h"
#include "workers/nodes/png_image.h"

namespace framelock::nodes {

namespace {

void ReplaceAll(std::string& text, std::string_view what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

// 0 to 99.
std::string TwoDigits(int number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::string Filled(std::string prefix, const graph::TensorShape& shape, std::uint32_t index) {
  if (prefix.find('%') == std::string::npos) {
    return prefix;
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const std::pair<std::string_view, std::string> parts[] = {
      {"%width%", std::to_string(shape.width)}, {"%height%", std::to_string(shape.height)},
      {"%batch_num%", std::to_string(index)},   {"%year%", std::to_string(local.tm_year + 1900)},
      {"%month%", TwoDigits(local.tm_mon + 1)}, {"%day%", TwoDigits(local.tm_mday)},
      {"%hour%", TwoDigits(local.tm_hour)},     {"%minute%", TwoDigits(local.tm_min)},
      {"%second%", TwoDigits(local.tm_sec)},
  };
  for (const auto& [what, by] : parts) {
    ReplaceAll(prefix, what, by);
  }
  return prefix;
}

Result<std::string> Encode(const graph::Tensor& batch, std::uint32_t index) {
  const graph::TensorShape& shape = batch.shape();
  std::vector<std::byte> bytes(shape.plane());
  graph::FloatsToBytes(batch.values().subspan(index * shape.plane(), shape.plane()), bytes);
  return EncodePng({.bytes = reinterpret_cast<const std::uint8_t*>(bytes.data()),
                    .width = shape.width,
                    .height = shape.height,
                    .channels = shape.channels});
}

}  // namespace

SavePictureNode::SavePictureNode(std::shared_ptr<const Workspace> workspace)
    : workspace_(std::move(workspace)) {}

bool SavePictureNode::HasChanged(graph::NodeCall& call) {
  return call.use() == graph::FrameUse::kShown && !is_saved_;
}

Status SavePictureNode::Run(graph::NodeCall& call) {
  const graph::Tensor images = call.Image(0);
  const graph::TensorShape& shape = images.shape();
  if (images.size() == 0 || (shape.channels != 1 && shape.channels != 3 && shape.channels != 4)) {
    return Error{ErrorCode::kInvalidArgument, "no picture file has the shape " + shape.ToString()};
  }
  is_saved_ = false;  // also if the disk is full half-way: the next frame tries again
  const bool is_shown = call.use() == graph::FrameUse::kShown;
  for (std::uint32_t i = 0; is_shown && i < shape.batch; ++i) {
    const Result<std::string> file = Encode(images, i);
    if (!file.ok()) {
      return file.error();
    }
    if (Status saved = workspace_->SaveNew(Filled(Prefix(call), shape, i), *file); !saved.ok()) {
      return saved;
    }
  }
  is_saved_ = is_shown;
  call.Emit(images);
  return {};
}

}  // namespace framelock::nodes
