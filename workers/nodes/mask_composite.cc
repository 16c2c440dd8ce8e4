// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/nodes/channels.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kDestination, kSource, kX, kY, kOperation };

bool IsSet(float value) { return RoundHalfToEven(value) != 0.0F; }

template <auto kCombine>
void CombineRow(const float* source, std::size_t count, float* inout) {
  for (std::size_t i = 0; i < count; ++i) {
    inout[i] = kCombine(inout[i], source[i]);
  }
}

struct Operation {
  std::string_view name;
  void (*combine_row)(const float* source, std::size_t count, float* inout);
};

constexpr std::array<Operation, 6> kOperations{{
    {"multiply", CombineRow<[](float d, float s) { return d * s; }>},
    {"add", CombineRow<[](float d, float s) { return d + s; }>},
    {"subtract", CombineRow<[](float d, float s) { return d - s; }>},
    {"and", CombineRow<[](float d, float s) { return IsSet(d) & IsSet(s) ? 1.0F : 0.0F; }>},
    {"or", CombineRow<[](float d, float s) { return IsSet(d) | IsSet(s) ? 1.0F : 0.0F; }>},
    {"xor", CombineRow<[](float d, float s) { return IsSet(d) != IsSet(s) ? 1.0F : 0.0F; }>},
}};

std::vector<std::string> OperationNames() {
  std::vector<std::string> names;
  names.reserve(kOperations.size());
  for (const Operation& operation : kOperations) {
    names.emplace_back(operation.name);
  }
  return names;
}

// How much of the source and of the destination meets along one axis. They differ only where the
// source starts beyond the end: the original then counts the source from its own end.
struct Meeting {
  Meeting(std::uint32_t destination, std::uint32_t source, std::int64_t start) {
    const std::int64_t visible = std::min(start + source, std::int64_t{destination}) - start;
    of_destination = static_cast<std::uint32_t>(std::max<std::int64_t>(visible, 0));
    of_source = static_cast<std::uint32_t>(
        visible >= 0 ? visible : std::max<std::int64_t>(source + visible, 0));
  }
  [[nodiscard]] bool broadcasts() const { return of_source == of_destination || of_source == 1; }
  std::uint32_t of_destination;
  std::uint32_t of_source;
};

// Combines the masks where they overlap; the whole result is clamped.
class MaskCompositeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    graph::Tensor destination = call.TakeTensor(kDestination);
    const graph::Tensor& source = call.Image(kSource);
    const graph::TensorShape& shape = destination.shape();
    const auto* operation =
        std::ranges::find(kOperations, std::string_view(call.Text(kOperation)), &Operation::name);
    if (Status good = Check(destination, source, call); !good.ok()) {
      return good;
    }
    if (operation == kOperations.end()) {
      return Error{ErrorCode::kInvalidArgument, "unknown operation " + call.Text(kOperation)};
    }
    Result<graph::Tensor> output = call.OutputLike(destination);
    if (!output.ok()) {
      return output.error();
    }
    if (output->data() != destination.data()) {
      std::ranges::copy(destination.values(), output->mutable_data());
    }
    const std::int64_t x = Position(call, kX);
    const std::int64_t y = Position(call, kY);
    const Meeting columns(shape.width, source.shape().width, x);
    const Meeting rows(shape.height, source.shape().height, y);
    for (std::size_t b = 0; b < shape.batch; ++b) {
      const float* from =
          source.data() + (source.shape().batch == 1 ? 0 : b * source.shape().plane());
      float* to = output->mutable_data() + b * shape.plane();
      for (std::size_t line = 0; line < rows.of_destination && columns.of_destination > 0; ++line) {
        operation->combine_row(from + line * source.shape().row(), columns.of_destination,
                               to + (static_cast<std::size_t>(y) + line) * shape.row() + x);
      }
    }
    MapInPlace(output->size(), output->mutable_data(),
               [](float value, std::size_t) { return Clamp01(value); });
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  // Farther than any mask reaches is far enough.
  static std::int64_t Position(const graph::NodeCall& call, Input input) {
    return std::min<std::int64_t>(call.Int(input), UINT32_MAX);
  }

  static Status Check(const graph::Tensor& destination, const graph::Tensor& source,
                      graph::NodeCall& call) {
    const graph::TensorShape& to = destination.shape();
    const graph::TensorShape& from = source.shape();
    if (destination.size() == 0 || source.size() == 0) {
      return EmptyMask(destination.size() == 0 ? to : from);
    }
    if (call.Int(kX) < 0 || call.Int(kY) < 0) {
      return Error{ErrorCode::kInvalidArgument, "x and y must not be negative"};
    }
    const Meeting columns(to.width, from.width, Position(call, kX));
    if (!columns.broadcasts()) {
      return SizeMismatch(columns.of_destination, columns.of_source, 2);
    }
    const Meeting rows(to.height, from.height, Position(call, kY));
    if (!rows.broadcasts()) {
      return SizeMismatch(rows.of_destination, rows.of_source, 1);
    }
    if (from.batch != to.batch && from.batch != 1) {
      return SizeMismatch(to.batch, from.batch, 0);
    }
    return {};
  }
};

}  // namespace

graph::NodeClass MaskComposite() {
  return {.spec = {.class_type = "MaskComposite",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("destination"), graph::MaskInput("source"),
                              graph::IntInput("x", {.value = 0, .min = 0, .max = 16384}),
                              graph::IntInput("y", {.value = 0, .min = 0, .max = 16384}),
                              graph::ChoiceInput("operation", OperationNames())},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<MaskCompositeNode>(); }};
}

}  // namespace framelock::nodes
