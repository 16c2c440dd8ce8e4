// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <vector>

#include "workers/nodes/channels.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/value_memo.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kBlack, kMid, kWhite, kClip };

float ToLinear(float value) {
  return value <= 0.04045F ? value / 12.92F : std::pow((value + 0.055F) / 1.055F, 2.4F);
}

float ToSrgb(float value) {
  return value <= 0.0031308F ? value * 12.92F : 1.055F * std::pow(value, 1.0F / 2.4F) - 0.055F;
}

struct Levels {
  double black = 0;
  double mid = 0;
  double white = 0;

  bool operator==(const Levels&) const = default;
  // Written so that not a number fails.
  [[nodiscard]] bool ascend() const {
    return 0 <= black && black < mid && mid < white && white <= 1;
  }
};

// Black, middle and white points, in linear light.
class ImageLevelsNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (Status three = TakesThreeChannels(call.Image(kImage).shape()); !three.ok()) {
      return three;
    }
    const Levels levels{call.Float(kBlack), call.Float(kMid), call.Float(kWhite)};
    if (!levels.ascend()) {
      return Error{ErrorCode::kInvalidArgument,
                   "black_level, mid_level and white_level must ascend within 0 to 1"};
    }
    const auto low = static_cast<float>(levels.black);
    const auto range = static_cast<float>(levels.white - levels.black);
    const auto gamma = static_cast<float>(std::log(0.5) / std::log(levels.mid));
    const auto adjust = [=](float value) {
      const float linear = (ToLinear(value) - low) / range;
      return ToSrgb(linear > 0.0F ? std::pow(linear, gamma) : linear);
    };
    const std::size_t parts =
        call.threads().Parts(call.Image(0).size(), graph::RowThreads::kLeastValues);
    if (!(levels == levels_) || memos_.size() != parts) {
      memos_.resize(parts);
      for (ValueMemo& memo : memos_) {
        memo.Reset(adjust);
      }
      levels_ = levels;
    }
    if (call.Boolean(kClip)) {
      return MapFirstInputByThread(call, [=, this](std::size_t part) {
        return [memo = &memos_[part], adjust](float value, std::size_t) {
          return Clamp01(memo->Find(value, adjust));
        };
      });
    }
    return MapFirstInputByThread(call, [=, this](std::size_t part) {
      return [memo = &memos_[part], adjust](float value, std::size_t) {
        return memo->Find(value, adjust);
      };
    });
  }

 private:
  Levels levels_;                 // of the memos; none that ascend at first
  std::vector<ValueMemo> memos_;  // by part
};

}  // namespace

graph::NodeClass ImageLevels() {
  const graph::FloatRange middle{.value = 0.5, .min = 0.01, .max = 0.99};
  return {
      .spec = {.class_type = "ImageLevels",
               .display_name = "ImageLevels",
               .category = "image/adjust",
               .python_module = "nodes",
               .inputs = {graph::ImageInput("image"),
                          graph::FloatInput("black_level", {.value = 0.0, .min = 0.0, .max = 1.0}),
                          graph::FloatInput("mid_level", middle),
                          graph::FloatInput("white_level", {.value = 1.0, .min = 0.0, .max = 1.0}),
                          graph::BooleanInput("clip", true)},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageLevelsNode>(); }};
}

}  // namespace framelock::nodes
