// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "workers/nodes/canvas.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

// The ways to state a size each bring inputs of their own.
enum Input : std::size_t {
  kPicture,
  kWay,
  kBothWidth,
  kBothHeight,
  kBothCrop,
  kMultiplier,
  kLonger,
  kShorter,
  kWidth,
  kHeight,
  kMegapixels,
  kMatch,
  kMatchCrop,
  kMultiple,
  kMethod,
};

// A size, how to get there, and what is kept of its middle in the end.
struct Goal {
  WantedSize size;
  Crop crop = Crop::kDisabled;
  WantedSize kept;
};

// None: the picture stays as it is, whatever the method.
using MaybeGoal = std::optional<Goal>;

Goal Whole(const WantedSize& size, Crop crop = Crop::kDisabled) { return {size, crop, size}; }

Crop CropOf(const graph::NodeCall& call, std::size_t input) {
  return call.Text(input) == "center" ? Crop::kCenter : Crop::kDisabled;
}

WantedSize SizeOf(const graph::TensorShape& shape) {
  return {static_cast<double>(shape.width), static_cast<double>(shape.height)};
}

MaybeGoal BySides(const graph::TensorShape& from, std::int64_t width, std::int64_t height,
                  Crop crop = Crop::kDisabled) {
  if (width == 0 && height == 0) {
    return std::nullopt;
  }
  const WantedSize sides{static_cast<double>(width), static_cast<double>(height)};
  return Whole(WithFollowingSide(from, sides), crop);
}

MaybeGoal ByDimensions(const graph::NodeCall& call, const graph::TensorShape& from) {
  return BySides(from, call.Int(kBothWidth), call.Int(kBothHeight), CropOf(call, kBothCrop));
}

MaybeGoal ByMultiplier(const graph::NodeCall& call, const graph::TensorShape& from) {
  return Whole(Times(from, call.Float(kMultiplier)).Rounded());
}

MaybeGoal ByLongerSide(const graph::NodeCall& call, const graph::TensorShape& from) {
  return Whole(WithLongerSide(from, static_cast<double>(call.Int(kLonger))));
}

MaybeGoal ByShorterSide(const graph::NodeCall& call, const graph::TensorShape& from) {
  return Whole(WithShorterSide(from, static_cast<double>(call.Int(kShorter))));
}

MaybeGoal ByWidth(const graph::NodeCall& call, const graph::TensorShape& from) {
  return BySides(from, call.Int(kWidth), 0);
}

MaybeGoal ByHeight(const graph::NodeCall& call, const graph::TensorShape& from) {
  return BySides(from, 0, call.Int(kHeight));
}

MaybeGoal ByPixels(const graph::NodeCall& call, const graph::TensorShape& from) {
  const double wanted = std::trunc(call.Float(kMegapixels) * 1024 * 1024);
  const double pixels = static_cast<double>(from.width) * from.height;
  return Whole(Times(from, std::sqrt(wanted / pixels)).Rounded());
}

MaybeGoal ByMatch(const graph::NodeCall& call, const graph::TensorShape&) {
  return Whole(SizeOf(call.Image(kMatch).shape()), CropOf(call, kMatchCrop));
}

// Covers the largest size of whole multiples.
MaybeGoal ByMultiple(const graph::NodeCall& call, const graph::TensorShape& from) {
  const auto multiple = static_cast<double>(std::max<std::int64_t>(call.Int(kMultiple), 1));
  const WantedSize own = SizeOf(from);
  const WantedSize kept{std::floor(own.width / multiple) * multiple,
                        std::floor(own.height / multiple) * multiple};
  const bool whole = kept.width == own.width && kept.height == own.height;
  if (kept.width == 0 || kept.height == 0 || whole) {
    return std::nullopt;
  }
  const double across = kept.width / own.width;
  const double down = kept.height / own.height;
  const WantedSize size =
      across >= down ? WantedSize{kept.width, std::max(std::ceil(own.height * across), kept.height)}
                     : WantedSize{std::max(std::ceil(own.width * down), kept.width), kept.height};
  return Goal{size, Crop::kDisabled, kept};
}

struct Way {
  std::string_view key;
  MaybeGoal (*goal)(const graph::NodeCall&, const graph::TensorShape&);
};

constexpr std::array<Way, 9> kWays{{
    {"scale dimensions", ByDimensions},
    {"scale by multiplier", ByMultiplier},
    {"scale longer dimension", ByLongerSide},
    {"scale shorter dimension", ByShorterSide},
    {"scale width", ByWidth},
    {"scale height", ByHeight},
    {"scale total pixels", ByPixels},
    {"match size", ByMatch},
    {"scale to multiple", ByMultiple},
}};

class ResizeImageMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto* way = std::ranges::find(kWays, std::string_view(call.Text(kWay)), &Way::key);
    if (way == kWays.end()) {
      return Error{ErrorCode::kInvalidArgument, "unknown resize_type '" + call.Text(kWay) + "'"};
    }
    const MaybeGoal goal = way->goal(call, call.Image(kPicture).shape());
    if (!goal) {
      call.SetOutput(0, call.TakeTensor(kPicture));
      return {};
    }
    Result<graph::Tensor> output = Resize(call, *goal);
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  Result<graph::Tensor> Resize(graph::NodeCall& call, const Goal& goal) {
    const Result<ResampleTarget> target = MakeTarget(call.Text(kMethod), goal.size, goal.crop);
    if (!target.ok()) {
      return target.error();
    }
    Result<graph::Tensor> resized =
        resampler_.Resample(call.Image(kPicture), *target, call.pool(), call.threads());
    if (!resized.ok()) {
      return resized;
    }
    const bool cut = goal.kept.width != goal.size.width || goal.kept.height != goal.size.height;
    const graph::TensorShape& shape = resized->shape();
    if (target->method == ResampleMethod::kLanczos && shape.layout == graph::TensorLayout::kMask) {
      // The original takes the rows of a single channel for its columns.
      Result<graph::Tensor> turned = Transpose(*resized, call.pool());
      return cut && turned.ok() ? CutTurned(*turned, goal, call.pool()) : turned;
    }
    return cut ? CutMiddle(*resized, goal.kept, call.pool()) : resized;
  }

  static Result<graph::Tensor> CutMiddle(const graph::Tensor& picture, const WantedSize& kept,
                                         graph::TensorPool& pool) {
    Area area{.width = static_cast<std::uint32_t>(kept.width),
              .height = static_cast<std::uint32_t>(kept.height)};
    area.x = (picture.shape().width - area.width) / 2;
    area.y = (picture.shape().height - area.height) / 2;
    return CutOut(picture, area, pool);
  }

  // Where the middle would be if it were not turned, as far as there is something.
  static Result<graph::Tensor> CutTurned(const graph::Tensor& mask, const Goal& goal,
                                         graph::TensorPool& pool) {
    const auto cut = [](double scaled, double kept, std::uint32_t side) {
      const auto first = std::min(static_cast<std::uint32_t>((scaled - kept) / 2), side);
      return std::pair(first, std::min(static_cast<std::uint32_t>(kept), side - first));
    };
    Area area;
    std::tie(area.x, area.width) = cut(goal.size.width, goal.kept.width, mask.shape().width);
    std::tie(area.y, area.height) = cut(goal.size.height, goal.kept.height, mask.shape().height);
    return CutOut(mask, area, pool);
  }

  static Result<graph::Tensor> Transpose(const graph::Tensor& mask, graph::TensorPool& pool) {
    const graph::TensorShape& from = mask.shape();
    graph::TensorShape shape = from;
    std::swap(shape.width, shape.height);
    Result<graph::Tensor> output = pool.Allocate(shape);
    if (!output.ok()) {
      return output;
    }
    float* out = output->mutable_data();
    for (std::size_t b = 0; b < from.batch; ++b) {
      const float* plane = mask.data() + b * from.plane();
      for (std::size_t x = 0; x < from.width; ++x) {
        for (std::size_t y = 0; y < from.height; ++y) {
          *out++ = plane[y * from.width + x];
        }
      }
    }
    return output;
  }

  Resampler resampler_;
};

std::vector<graph::ComboBranch> Branches() {
  const graph::IntRange side{.value = 512, .min = 0, .max = 16384};
  const graph::InputSpec width = graph::IntInput("width", side);
  const graph::InputSpec height = graph::IntInput("height", side);
  const graph::InputSpec crop = graph::ChoiceInput("crop", {"disabled", "center"}, "center");
  const graph::InputSpec multiplier =
      graph::FloatInput("multiplier", {.value = 1.0, .min = 0.01, .max = 8.0});
  const graph::InputSpec megapixels =
      graph::FloatInput("megapixels", {.value = 1.0, .min = 0.01, .max = 16.0});
  const graph::InputSpec multiple =
      graph::IntInput("multiple", {.value = 8, .min = 1, .max = 16384});
  const std::array<std::vector<graph::InputSpec>, kWays.size()> inputs{{
      {width, height, crop},
      {multiplier},
      {graph::IntInput("longer_size", side)},
      {graph::IntInput("shorter_size", side)},
      {width},
      {height},
      {megapixels},
      {graph::ImageOrMaskInput("match"), crop},
      {multiple},
  }};
  std::vector<graph::ComboBranch> branches;
  for (std::size_t i = 0; i < kWays.size(); ++i) {
    branches.push_back({std::string(kWays[i].key), inputs[i]});
  }
  return branches;
}

graph::InputSpec MethodInput() {
  return graph::ChoiceInput("scale_method", ResampleMethodNames(), "area");
}

}  // namespace

graph::NodeClass ResizeImageMask() {
  return {.spec = {.class_type = "ResizeImageMaskNode",
                   .display_name = "Resize Image/Mask",
                   .category = "transform",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MatchInput("input", "input_type", "IMAGE,MASK"),
                              graph::DynamicComboInput("resize_type", Branches()), MethodInput()},
                   .outputs = {{graph::kMatchType, "resized", "input_type"}}},
          .make = [] { return std::make_unique<ResizeImageMaskNode>(); }};
}

}  // namespace framelock::nodes
