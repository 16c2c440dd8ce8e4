// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "workers/graph/convert_prompt.h"
#include "workers/graph/executor.h"
#include "workers/graph/json.h"
#include "workers/graph/pixels.h"
#include "workers/graph/plan.h"
#include "workers/graph/prompt.h"
#include "workers/graph/validate.h"

namespace framelock::graph {

namespace {

Session::Rejected Reject(const Verdict& verdict) {
  return {DumpJson({{"error", verdict.error}, {"node_errors", verdict.node_errors}})};
}

// ComfyUI's own words leave the reader of a cycle in the dark.
void ExplainCycle(Verdict& verdict) {
  if (verdict.cycle.empty() || verdict.valid) {
    return;
  }
  std::string path;
  for (const std::string& id : verdict.cycle) {
    path += id + " -> ";
  }
  std::string details = verdict.error["details"];
  details += (details.empty() ? "" : "\n");
  verdict.error["details"] = details + "Dependency cycle: " + path + verdict.cycle.front();
}

// As numpy's astype(int16) of what is times 32767, but clamped; not a number is silence.
std::int16_t ToSample(float sample) {
  return static_cast<std::int16_t>(std::isnan(sample) ? 0.0F
                                                      : std::clamp(sample, -1.0F, 1.0F) * 32767.0F);
}

Error BadFrame(std::string text) { return {ErrorCode::kInvalidArgument, std::move(text)}; }

// Bytes of `height` rows that lie `stride` apart; the last need not be padded.
std::uint64_t FrameBytes(std::uint32_t height, std::uint64_t row, std::uint64_t stride) {
  return height == 0 ? 0 : (height - 1) * stride + row;
}

Status CheckFrame(const Session::InputFrame& frame) {
  const Session::Shape& shape = frame.shape;
  if (shape.width == 0 || shape.height == 0 || (shape.channels != 3 && shape.channels != 4)) {
    return BadFrame("a frame needs a width, a height and 3 or 4 channels");
  }
  const std::size_t row = std::size_t{shape.width} * shape.channels;
  if (frame.stride < row || frame.bytes.size() < FrameBytes(shape.height, row, frame.stride)) {
    return BadFrame("the frame's memory is smaller than its shape");
  }
  return {};
}

// Where one frame goes, checked against what it is.
Status CheckSlot(const Session::OutputFrame& slot, const TensorShape& shape) {
  const std::size_t row = std::size_t{shape.width} * slot.channels;
  if (slot.channels != 3 && slot.channels != 4) {
    return BadFrame("a frame goes out with 3 or 4 channels");
  }
  if (slot.stride < row || slot.bytes.size() < FrameBytes(shape.height, row, slot.stride)) {
    return Error{ErrorCode::kResourceLimit, "the output slot is too small for " + shape.ToString()};
  }
  return {};
}

}  // namespace

class Session::Impl {
 public:
  Impl(std::shared_ptr<const NodeRegistry> registry, const SessionOptions& options)
      : registry_(std::move(registry)),
        options_(options),
        threads_(options.threads == nullptr ? RowThreads::Alone() : *options.threads),
        pool_(options.execution.max_tensor_bytes) {}

  std::optional<Rejected> Prepare(std::string_view prompt_json);
  Result<Shape> RunOn(Tensor frame, FrameUse use);
  Result<Shape> Probe(Shape input);
  Result<Shape> Run(const InputFrame& frame);
  Result<Tensor> MakeFrame(const InputFrame& frame);
  Result<Tensor> MakeGreyFrame(Shape shape);
  Status Write(const OutputFrame& slot) const;
  Result<std::span<const std::int16_t>> RunAudio(const AudioPiece& piece);
  [[nodiscard]] std::vector<std::string_view> Texts() const;
  std::vector<std::string> TakeSoundTexts() { return std::exchange(sound_texts_, {}); }

  const std::shared_ptr<const NodeRegistry> registry_;
  SessionOptions options_;
  RowThreads& threads_;
  TensorPool pool_;
  FaultHooks faults_;
  std::unique_ptr<Executor> executor_;

 private:
  Result<Tensor> CheckResult() const;
  Result<std::span<const std::int16_t>> AudioResult(const AudioPiece& piece);
  void KeepAudioTexts();
  Status CopyUnchanged(const OutputFrame& slot) const;

  std::optional<InputFrame> unchanged_;   // the result, if it is the frame itself
  std::vector<std::int16_t> audio_;       // the last result
  std::vector<std::string> sound_texts_;  // not taken yet
};

std::optional<Session::Rejected> Session::Impl::Prepare(std::string_view prompt_json) {
  Result<Prompt> prompt = Prompt::Parse(prompt_json, options_.prompt);
  if (!prompt.ok()) {
    return Reject(Refusal(prompt.error().message));
  }
  if (Status converted = ConvertPrompt(*prompt); !converted.ok()) {
    return Reject(Refusal(converted.error().message));
  }
  Verdict verdict = Validate(*registry_, *prompt);
  if (!verdict.valid) {
    ExplainCycle(verdict);
    return Reject(verdict);
  }
  Plan plan = Plan::Make(*registry_, *prompt, verdict);
  for (const std::size_t sink : plan.sinks()) {
    const Step& step = plan.steps()[sink];
    if (step.node_class->spec.sink == Medium::kAudio && step.phase != StepPhase::kEveryPiece) {
      return Reject(Refusal("node " + step.node_id + " (" + step.node_class->spec.class_type +
                            "): sound cannot be made of pictures"));
    }
  }
  auto executor = std::make_unique<Executor>(std::move(plan), pool_, faults_, threads_);
  if (const std::optional<NodeFailure> failure = executor->Load()) {
    Verdict refused = Refusal("The prompt failed while loading: " + failure->ToString());
    refused.error["extra_info"] = {{"node_id", failure->node_id},
                                   {"class_type", failure->class_type}};
    return Reject(refused);
  }
  executor_ = std::move(executor);
  unchanged_.reset();
  sound_texts_.clear();
  pool_.Trim();
  return std::nullopt;
}

Result<Session::Shape> Session::Impl::Probe(Shape input) {
  unchanged_.reset();
  pool_.Trim();
  const Plan& plan = executor_->plan();
  if (plan.passes_frame_on() && input.width != 0 && input.height != 0) {
    return Shape{input.width, input.height, 3};
  }
  Result<Tensor> frame = MakeGreyFrame(input);
  if (!frame.ok()) {
    return frame.error();
  }
  Result<Shape> output = RunOn(std::move(*frame), FrameUse::kRehearsal);
  if (!plan.gives(Medium::kPicture) && output.ok()) {
    return Shape{input.width, input.height, 3};
  }
  return output;
}

Result<Session::Shape> Session::Impl::Run(const InputFrame& frame) {
  unchanged_.reset();
  if (const Status fine = CheckFrame(frame); !fine.ok()) {
    return fine.error();
  }
  const Plan& plan = executor_->plan();
  if (plan.passes_frame_on()) {
    unchanged_ = frame;
    return Shape{frame.shape.width, frame.shape.height, 3};
  }
  Result<Tensor> tensor = MakeFrame(frame);
  if (!tensor.ok()) {
    return tensor.error();
  }
  Result<Shape> output = RunOn(std::move(*tensor), FrameUse::kShown);
  if (output.ok() && !plan.gives(Medium::kPicture)) {
    unchanged_ = frame;
  }
  return output;
}

Result<Tensor> Session::Impl::MakeFrame(const InputFrame& frame) {
  const Shape& shape = frame.shape;
  const std::size_t row = std::size_t{shape.width} * shape.channels;
  Result<Tensor> tensor = pool_.Allocate({1, shape.height, shape.width, 3});
  if (!tensor.ok()) {
    return tensor;
  }
  const std::size_t floats = tensor->shape().row();
  float* pixels = tensor->mutable_data();
  threads_.Share(shape.height, [&](const RowThreads::Part& part) {
    for (std::size_t y = part.begin; y < part.end; ++y) {
      const std::span<const std::byte> in = frame.bytes.subspan(y * frame.stride, row);
      const std::span<float> out(pixels + y * floats, floats);
      if (shape.channels == 3) {
        BytesToFloats(in, out);
      } else {
        RgbaBytesToRgbFloats(in, out);
      }
    }
  });
  return tensor;
}

Result<Tensor> Session::Impl::MakeGreyFrame(Shape shape) {
  if (shape.width == 0 || shape.height == 0) {
    return BadFrame("a frame needs a width and a height");
  }
  Result<Tensor> tensor = pool_.Allocate({1, shape.height, shape.width, 3});
  if (tensor.ok()) {
    std::fill_n(tensor->mutable_data(), tensor->size(), 128.0F / 255.0F);
  }
  return tensor;
}

Result<Session::Shape> Session::Impl::RunOn(Tensor frame, FrameUse use) {
  const Shape shape{frame.shape().width, frame.shape().height, frame.shape().channels};
  if (const std::optional<NodeFailure> failure = executor_->Run(std::move(frame), use)) {
    return Error{ErrorCode::kInternal, failure->ToString()};
  }
  if (!executor_->plan().gives(Medium::kPicture)) {
    return shape;  // of the frame itself
  }
  const Result<Tensor> result = CheckResult();
  if (!result.ok()) {
    return result.error();
  }
  const TensorShape& made = result->shape();
  return Shape{made.width, made.height, made.channels};
}

// The first sink that received a picture; there may be others, that take text.
Result<Tensor> Session::Impl::CheckResult() const {
  const std::size_t sinks = executor_ ? executor_->plan().sinks().size() : 0;
  std::size_t sink = 0;
  while (sink < sinks && !executor_->result(sink).valid()) {
    ++sink;
  }
  if (sink == sinks) {
    return Error{ErrorCode::kUnavailable, "no frame has been run"};
  }
  const Tensor& result = executor_->result(sink);
  const TensorShape& shape = result.shape();
  const std::string node =
      "node " + executor_->plan().steps()[executor_->plan().sinks()[sink]].node_id;
  if (shape.batch != 1) {
    return Error{ErrorCode::kInternal, node + ": a batch of " + std::to_string(shape.batch) +
                                           " images cannot be shown as one frame"};
  }
  if (result.size() == 0) {
    return Error{ErrorCode::kInternal, node + ": the image is empty: " + shape.ToString()};
  }
  const bool fits = shape.channels == 1 || shape.channels == 3 || shape.channels == 4;
  if (!fits) {
    return Error{ErrorCode::kInternal, node + ": an image of " + std::to_string(shape.channels) +
                                           " channels cannot be shown as a frame"};
  }
  return result;
}

Status Session::Impl::CopyUnchanged(const OutputFrame& slot) const {
  const Shape& shape = unchanged_->shape;
  const TensorShape picture{1, shape.height, shape.width, 3};
  if (const Status fits = CheckSlot(slot, picture); !fits.ok()) {
    return fits;
  }
  const std::size_t row = std::size_t{shape.width} * shape.channels;
  for (std::uint32_t y = 0; y < shape.height; ++y) {
    CopyPixels(unchanged_->bytes.subspan(y * unchanged_->stride, row),
               slot.bytes.subspan(y * slot.stride, std::size_t{shape.width} * slot.channels),
               {.from = shape.channels, .to = slot.channels});
  }
  return {};
}

Status Session::Impl::Write(const OutputFrame& slot) const {
  if (unchanged_) {
    return CopyUnchanged(slot);
  }
  const Result<Tensor> result = CheckResult();
  if (!result.ok()) {
    return result.error();
  }
  const TensorShape& shape = result->shape();
  if (const Status fits = CheckSlot(slot, shape); !fits.ok()) {
    return fits;
  }
  threads_.Share(shape.height, [&](const RowThreads::Part& part) {
    for (std::size_t y = part.begin; y < part.end; ++y) {
      const std::span<const float> in = result->values().subspan(y * shape.row(), shape.row());
      const std::span<std::byte> out =
          slot.bytes.subspan(y * slot.stride, std::size_t{shape.width} * slot.channels);
      if (shape.channels == slot.channels) {
        FloatsToBytes(in, out);
      } else {
        FloatsToBytes(in, out, {.from = shape.channels, .to = slot.channels});
      }
    }
  });
  return {};
}

Result<std::span<const std::int16_t>> Session::Impl::RunAudio(const AudioPiece& piece) {
  audio_.clear();
  const auto samples = static_cast<std::uint32_t>(piece.samples.size());
  Result<Tensor> waveform = pool_.Allocate({1, 1, samples, 1, TensorLayout::kMask});
  if (!waveform.ok()) {
    return waveform.error();
  }
  std::transform(piece.samples.begin(), piece.samples.end(), waveform->mutable_data(),
                 [](std::int16_t sample) { return static_cast<float>(sample) / 32768.0F; });
  if (const std::optional<NodeFailure> failure =
          executor_->RunAudio({std::move(*waveform), piece.sample_rate})) {
    return Error{ErrorCode::kInternal, failure->ToString()};
  }
  KeepAudioTexts();
  return AudioResult(piece);
}

Result<std::span<const std::int16_t>> Session::Impl::AudioResult(const AudioPiece& piece) {
  const std::vector<std::size_t>& sinks = executor_->plan().sinks();
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const std::optional<Audio>& result = executor_->audio(i);
    if (!result) {
      continue;
    }
    const std::span<const float> made = result->waveform.values();
    if (made.size() != piece.samples.size() || result->sample_rate != piece.sample_rate) {
      return Error{ErrorCode::kInternal, "node " + executor_->plan().steps()[sinks[i]].node_id +
                                             ": " + std::to_string(made.size()) + " samples at " +
                                             std::to_string(result->sample_rate) +
                                             " Hz came out of " +
                                             std::to_string(piece.samples.size()) + " at " +
                                             std::to_string(piece.sample_rate)};
    }
    audio_.resize(made.size());
    std::transform(made.begin(), made.end(), audio_.begin(), ToSample);
    break;
  }
  return std::span<const std::int16_t>(audio_);
}

// As many as a frame may have, at most.
void Session::Impl::KeepAudioTexts() {
  constexpr std::size_t kMost = 64;
  constexpr std::size_t kMostBytes = 1U << 20;
  for (std::size_t i = 0; i < executor_->plan().sinks().size(); ++i) {
    const Step& step = executor_->plan().steps()[executor_->plan().sinks()[i]];
    const std::optional<std::string>& text = executor_->text(i);
    if (step.phase != StepPhase::kEveryPiece || !text || text->empty()) {
      continue;
    }
    sound_texts_.push_back(*text);
    std::size_t bytes = 0;
    for (const std::string& one : sound_texts_) {
      bytes += one.size();
    }
    while (sound_texts_.size() > 1 && (sound_texts_.size() > kMost || bytes > kMostBytes)) {
      bytes -= sound_texts_.front().size();
      sound_texts_.erase(sound_texts_.begin());
    }
  }
}

std::vector<std::string_view> Session::Impl::Texts() const {
  std::vector<std::string_view> texts;
  const std::size_t sinks = executor_ ? executor_->plan().sinks().size() : 0;
  for (std::size_t i = 0; i < sinks; ++i) {
    const std::optional<std::string>& text = executor_->text(i);
    const Step& step = executor_->plan().steps()[executor_->plan().sinks()[i]];
    if (step.phase != StepPhase::kEveryPiece && text && !text->empty()) {
      texts.emplace_back(*text);
    }
  }
  return texts;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::Create(const NodeRegistry& registry,
                                                 SessionOptions options) {
  return Create(std::shared_ptr<const NodeRegistry>(std::shared_ptr<void>(), &registry), options);
}

Result<std::unique_ptr<Session>> Session::Create(std::shared_ptr<const NodeRegistry> registry,
                                                 SessionOptions options) {
  return std::unique_ptr<Session>(
      new Session(std::make_unique<Impl>(std::move(registry), options)));
}

std::optional<Session::Rejected> Session::Prepare(std::string_view prompt_json) {
  return impl_->Prepare(prompt_json);
}

bool Session::has_prompt() const { return impl_->executor_ != nullptr; }

Result<Session::Shape> Session::Probe(Shape input) {
  if (!has_prompt()) {
    return Error{ErrorCode::kUnavailable, "no prompt is set"};
  }
  return impl_->Probe(input);
}

Result<Session::Shape> Session::Run(const InputFrame& frame) {
  if (!has_prompt()) {
    return Error{ErrorCode::kUnavailable, "no prompt is set"};
  }
  return impl_->Run(frame);
}

Status Session::WriteOutput(const OutputFrame& slot) const { return impl_->Write(slot); }

std::chrono::milliseconds Session::audio_length() const {
  const bool takes = has_prompt() && impl_->executor_->plan().takes(Medium::kAudio);
  return takes ? impl_->executor_->audio_length() : std::chrono::milliseconds(0);
}

Result<std::span<const std::int16_t>> Session::RunAudio(const AudioPiece& piece) {
  if (!has_prompt()) {
    return Error{ErrorCode::kUnavailable, "no prompt is set"};
  }
  return impl_->RunAudio(piece);
}

std::vector<std::string_view> Session::texts() const { return impl_->Texts(); }
std::vector<std::string> Session::TakeSoundTexts() { return impl_->TakeSoundTexts(); }

FaultHooks& Session::fault_hooks() { return impl_->faults_; }

}  // namespace framelock::graph
