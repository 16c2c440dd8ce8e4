// SPDX-License-Identifier: Apache-2.0
#include "workers/main/offline.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "workers/graph/convert_prompt.h"
#include "workers/graph/executor.h"
#include "workers/graph/json.h"
#include "workers/graph/object_info.h"
#include "workers/graph/plan.h"
#include "workers/graph/prompt.h"
#include "workers/graph/validate.h"
#include "workers/main/offline_files.h"

namespace framelock::worker {

namespace {

using graph::Json;

void PrintLine(const Json& json) { std::cout << graph::DumpJson(json) << std::endl; }

int Complain(const Error& error, int status) {
  std::cerr << "framelock-worker: " << error.message << std::endl;
  return status;
}

int Fail(const graph::NodeFailure& failure) {
  PrintLine({{"failed",
              {{"node_id", failure.node_id},
               {"class_type", failure.class_type},
               {"message", failure.text}}}});
  return Complain({ErrorCode::kInternal, failure.ToString()}, kOfflineBad);
}

struct Judged {
  graph::Verdict verdict;
  graph::Prompt prompt;
};

std::optional<std::vector<std::string>> WantedOutputs(const Arguments& arguments) {
  const std::optional<std::string> list = arguments.Find("--outputs");
  if (!list) {
    return std::nullopt;
  }
  std::vector<std::string> ids;
  std::istringstream stream(*list);
  for (std::string id; std::getline(stream, id, ',');) {
    ids.push_back(std::move(id));
  }
  return ids;
}

// An error is about the command line; a bad prompt has a verdict.
Result<Judged> Judge(const Arguments& arguments, const graph::NodeRegistry& registry) {
  const std::optional<std::string> path = arguments.Find("--prompt");
  if (!path) {
    return Error{ErrorCode::kInvalidArgument, "--prompt FILE is missing"};
  }
  const graph::PromptLimits limits;
  const Result<std::string> text = ReadFile(*path, limits.max_bytes);
  if (!text.ok()) {
    return text.error();
  }
  Result<graph::Prompt> prompt = graph::Prompt::Parse(*text, limits, graph::NonFinite::kAccept);
  if (!prompt.ok()) {
    return Judged{graph::Refusal(prompt.error().message), {}};
  }
  if (arguments.Has("--convert")) {
    if (const Status converted = graph::ConvertPrompt(*prompt); !converted.ok()) {
      return Judged{graph::Refusal(converted.error().message), {}};
    }
  }
  graph::Verdict verdict = graph::Validate(registry, *prompt, WantedOutputs(arguments));
  return Judged{std::move(verdict), std::move(*prompt)};
}

struct RunOptions {
  std::string input;  // empty: the prompt must do without a frame
  std::optional<graph::TensorShape> shape;
  RawFormat input_format = RawFormat::kFloat32;
  std::string output;  // empty: nothing is written
  RawFormat output_format = RawFormat::kFloat32;
  std::optional<std::string> sink;
  std::int64_t repeat = 1;
  std::size_t threads = 1;
};

Result<RunOptions> ParseRunOptions(const Arguments& arguments) {
  RunOptions options;
  for (const auto& [name, format] :
       {std::pair{"input", RawFormat::kFloat32}, std::pair{"input-u8", RawFormat::kByte}}) {
    if (const auto path = arguments.Find(std::string("--") + name)) {
      options.input = *path;
      options.input_format = format;
    }
  }
  for (const auto& [name, format] :
       {std::pair{"output", RawFormat::kFloat32}, std::pair{"output-u8", RawFormat::kByte}}) {
    if (const auto path = arguments.Find(std::string("--") + name)) {
      options.output = *path;
      options.output_format = format;
    }
  }
  if (const auto text = arguments.Find("--shape")) {
    const Result<graph::TensorShape> shape = ParseShape(*text);
    if (!shape.ok()) {
      return shape.error();
    }
    options.shape = *shape;
  }
  if (options.shape.has_value() == options.input.empty()) {
    return Error{ErrorCode::kInvalidArgument, "an input file and --shape go together"};
  }
  options.sink = arguments.Find("--sink");
  const auto repeat = arguments.FindNumber("--repeat");
  if (!repeat.ok() || repeat->value_or(1) < 1) {
    return Error{ErrorCode::kInvalidArgument, "--repeat takes a number from 1 on"};
  }
  options.repeat = repeat->value_or(1);
  const auto threads = ThreadsIn(arguments);
  if (!threads.ok()) {
    return threads.error();
  }
  options.threads = *threads;
  return options;
}

bool TakesFrame(const graph::Plan& plan) {
  return std::ranges::any_of(plan.steps(), [](const graph::Step& step) {
    return step.node_class->spec.source == graph::Medium::kPicture;
  });
}

// A frame each, because nodes may keep what they are given.
Result<graph::Tensor> CopyOf(const graph::Tensor& frame, graph::TensorPool& pool) {
  if (!frame.valid()) {
    return frame;
  }
  Result<graph::Tensor> copy = pool.Allocate(frame.shape());
  if (copy.ok()) {
    std::ranges::copy(frame.values(), copy->mutable_data());
  }
  return copy;
}

using Outcome = std::variant<Json, graph::NodeFailure, Error>;

// Runs the frame as often as asked; the report has the best time of one run.
Outcome RunFrames(graph::Executor& executor, const graph::Tensor& frame, const RunOptions& options,
                  graph::TensorPool& pool) {
  if (const auto failure = executor.Load()) {
    return *failure;
  }
  double best_ms = 0;
  for (std::int64_t i = 0; i < options.repeat; ++i) {
    Result<graph::Tensor> copy = CopyOf(frame, pool);
    if (!copy.ok()) {
      return copy.error();
    }
    const auto start = std::chrono::steady_clock::now();
    if (const auto failure = executor.Run(std::move(*copy), graph::FrameUse::kShown)) {
      return *failure;
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    best_ms = i == 0 ? took.count() : std::min(best_ms, took.count());
  }
  return Json{{"frame_ms", best_ms}};
}

// The ids of the nodes that ran, once or for this frame.
Json ExecutedNodes(const graph::Executor& executor) {
  Json ids = Json::array();
  for (std::size_t i = 0; i < executor.plan().steps().size(); ++i) {
    if (executor.has_run(i)) {
      ids.push_back(executor.plan().steps()[i].node_id);
    }
  }
  return ids;
}

int RunPlan(graph::Plan plan, const RunOptions& options) {
  const std::size_t sink = options.sink ? plan.FindSink(*options.sink).value_or(SIZE_MAX) : 0;
  if (sink == SIZE_MAX) {
    return Complain({ErrorCode::kInvalidArgument,
                     "--sink " + *options.sink + " is not a valid output of the prompt"},
                    kOfflineUsage);
  }
  if (TakesFrame(plan) && options.input.empty()) {
    return Complain({ErrorCode::kInvalidArgument, "the prompt takes a frame: --input is missing"},
                    kOfflineUsage);
  }
  graph::TensorPool pool(graph::ExecutionLimits().max_tensor_bytes);
  graph::Tensor frame;
  if (options.shape) {
    Result<graph::Tensor> read =
        ReadTensor(options.input, options.input_format, *options.shape, pool);
    if (!read.ok()) {
      return Complain(read.error(), kOfflineUsage);
    }
    frame = std::move(*read);
  }
  graph::FaultHooks faults;
  graph::RowThreads threads(options.threads);
  graph::Executor executor(std::move(plan), pool, faults, threads);
  Outcome outcome = RunFrames(executor, frame, options, pool);
  if (const auto* failure = std::get_if<graph::NodeFailure>(&outcome)) {
    return Fail(*failure);
  }
  if (const auto* error = std::get_if<Error>(&outcome)) {
    return Complain(*error, kOfflineBad);
  }
  const graph::Tensor& result = executor.result(sink);
  if (!options.output.empty()) {
    if (Status written = WriteTensor(options.output, options.output_format, result);
        !written.ok()) {
      return Complain(written.error(), kOfflineUsage);
    }
  }
  const graph::TensorShape& shape = result.shape();
  Json report = std::get<Json>(std::move(outcome));
  report["sink"] = executor.plan().steps()[executor.plan().sinks()[sink]].node_id;
  report["shape"] = {shape.batch, shape.height, shape.width, shape.channels};
  if (const auto& text = executor.text(sink)) {
    report["text"] = *text;
  }
  report["executed"] = ExecutedNodes(executor);
  PrintLine(report);
  return kOfflineGood;
}

}  // namespace

OptionNames RunOptionNames() {
  return {.flags = {"--convert"},
          .values = {"--prompt", "--input", "--input-u8", "--shape", "--output", "--output-u8",
                     "--sink", "--outputs", "--repeat", "--threads"}};
}

OptionNames ValidateOptionNames() {
  return {.flags = {"--convert"}, .values = {"--prompt", "--outputs"}};
}

int RunOffline(const Arguments& arguments, const graph::NodeRegistry& registry) {
  const Result<RunOptions> options = ParseRunOptions(arguments);
  if (!options.ok()) {
    return Complain(options.error(), kOfflineUsage);
  }
  const Result<Judged> judged = Judge(arguments, registry);
  if (!judged.ok()) {
    return Complain(judged.error(), kOfflineUsage);
  }
  if (!judged->verdict.valid) {
    PrintLine(judged->verdict.ToJson());
    return Complain({ErrorCode::kInvalidArgument, "the prompt is invalid"}, kOfflineBad);
  }
  return RunPlan(graph::Plan::Make(registry, judged->prompt, judged->verdict), *options);
}

int ValidateOffline(const Arguments& arguments, const graph::NodeRegistry& registry) {
  const Result<Judged> judged = Judge(arguments, registry);
  if (!judged.ok()) {
    return Complain(judged.error(), kOfflineUsage);
  }
  PrintLine(judged->verdict.ToJson());
  return judged->verdict.valid ? kOfflineGood : kOfflineBad;
}

int PrintNodes(const graph::NodeRegistry& registry) {
  Json nodes = Json::object();
  for (const auto& node_class : registry.classes()) {
    nodes[node_class->spec.class_type] = graph::ObjectInfo(node_class->spec);
  }
  PrintLine(nodes);
  return kOfflineGood;
}

}  // namespace framelock::worker
