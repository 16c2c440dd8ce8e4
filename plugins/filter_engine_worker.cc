// SPDX-License-Identifier: Apache-2.0
// The worker's half of FilterEngine: what it says, and what it is sent. All under the lock.
#include <algorithm>
#include <string>
#include <utility>

#include "plugins/filter_engine.h"

namespace framelock::plugins {

namespace {

constexpr std::size_t kMaxLastError = 1024;  // bytes of a rejection that the statistics repeat

std::string SizeText(std::uint32_t width, std::uint32_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

}  // namespace

template <>
void FilterEngine::OnWorker(host::WorkerClient::Welcomed& welcomed) {
  prompt_.OnWelcomed(welcomed.revision);
  if (prompt_.running()) notices_.emplace_back(WorkerReady{seat_->pid()});
}

template <>
void FilterEngine::OnWorker(host::WorkerClient::PromptApplied& applied) {
  const bool first = !prompt_.running();
  const std::optional<FrameSize> size = prompt_.OnApplied(applied.revision);
  applied_losses_ = losses_;
  line_.ChangeGraph(Now());
  DropSoundTexts();
  TakeAudioLength(applied.audio_ms);
  UpdateReadiness();
  if (first) notices_.emplace_back(WorkerReady{seat_->pid()});
  if (size) AskForSize(*size, applied.revision);
  if (attached_ && attached_ == region_ && !Holding()) {
    FitOutput(applied.output_width, applied.output_height);
  }
  changed_.notify_all();
}

void FilterEngine::AskForSize(FrameSize size, std::uint64_t revision) {
  if (wish_.Asks(size, format_.get())) return;
  notices_.emplace_back(Resize{size});
  // Where every frame counts, none is held back.
  if (options_.line.full_policy == FullPolicy::kBlock) return;
  wish_.Ask(size, revision);
  UpdateReadiness();
}

void FilterEngine::GiveUpSize() {
  stats_.last_error = "upstream does not change the size of its frames";
  wish_.Forget();
  UpdateReadiness();
  wake_->Notify();
  changed_.notify_all();
}

template <>
void FilterEngine::OnWorker(host::WorkerClient::PromptRejected& rejected) {
  stats_.last_error = "prompt rejected: " + rejected.errors_json.substr(0, kMaxLastError);
  const bool runs_nothing =
      prompt_.OnRejected(rejected.errors_json) == PromptExchange::Rejected::kCurrent;
  changed_.notify_all();
  if (!runs_nothing) return;
  if (options_.worker.command) {
    Fail(stats_.last_error);
  } else {
    seat_->Drop(host::WorkerSeat::LossReason::kFailed, stats_.last_error);
  }
}

template <>
void FilterEngine::OnWorker(host::WorkerClient::Attached& attached) {
  if (attached.output_width == 0) {
    seat_->Drop(host::WorkerSeat::LossReason::kFailed,
                "the worker refused frames of " + SizeText(format_->width, format_->height));
    return;
  }
  attached_ = std::move(attaching_);
  TakeAudioLength(attached.audio_ms);
  if (attached_ == region_) FitOutput(attached.output_width, attached.output_height);
  UpdateReadiness();
}

template <>
void FilterEngine::OnWorker(host::WorkerClient::Completed& completed) {
  const FrameSequence sequence{completed.sequence};
  const SteadyTime now = Now();
  LineFrame* frame = line_.InFlight(sequence);
  if (frame == nullptr || !attached_) {
    seat_->Drop(host::WorkerSeat::LossReason::kProtocol,
                "frame " + std::to_string(sequence.value) + " was answered but not in flight");
    return;
  }
  [[maybe_unused]] const Status done =
      attached_->MarkDone(frame->input_slot, frame->output->slot());
  if (wish_.Excludes(*frame->format, completed.revision)) {
    line_.Discard(sequence, now);
    return;
  }
  if (completed.outcome == protocol::FrameOutcome::kCompleted) {
    stats_.output_width = completed.output_width;
    stats_.output_height = completed.output_height;
    line_.Complete(
        sequence,
        {completed.output_width, completed.output_height, revisions_.Number(completed.revision)},
        now);
    return;
  }
  line_.Fail(sequence, now);
  if (completed.outcome == protocol::FrameOutcome::kFailed) {
    stats_.last_error = completed.error.data();
  } else {
    stats_.last_error = "the output grew to " +
                        SizeText(completed.output_width, completed.output_height) +
                        ", larger slots are attached";
    if (attached_ == region_) FitOutput(completed.output_width, completed.output_height);
  }
  Complain(now);
}

// It stays with its frame, and leaves with the frame's result or not at all; but what is said of
// sound leaves with the next result that does.
template <>
void FilterEngine::OnWorker(host::WorkerClient::FrameText& text) {
  if (text.text_bytes > options_.max_text_bytes) {
    ++stats_.texts_dropped;
    return;
  }
  if (text.of_sound) {
    sound_texts_.push_back(std::move(text.text));
    if (sound_texts_.size() > protocol::kMaxFrameTexts) {
      sound_texts_.pop_front();
      ++stats_.texts_dropped;
    }
    return;
  }
  LineFrame* frame = line_.InFlight(FrameSequence{text.sequence});
  if (frame != nullptr) frame->texts.push_back(std::move(text.text));
}

// What another graph said, or of sound that is gone, has no place among what comes.
void FilterEngine::DropSoundTexts() {
  stats_.texts_dropped += sound_texts_.size();
  sound_texts_.clear();
}

void FilterEngine::Complain(SteadyTime now) {
  const auto count = meters_.failures.Add(now);
  if (!count) return;
  // Upstream's thread comes here as well, and nobody takes notices while downstream blocks.
  for (FilterWork& notice : notices_) {
    if (auto* earlier = std::get_if<Complaint>(&notice)) {
      earlier->failed_frames += *count;
      earlier->last_error = stats_.last_error;
      return;
    }
  }
  notices_.emplace_back(Complaint{*count, stats_.last_error});
}

// What the one at work knew and was shown.
void FilterEngine::ForgetWorker() {
  prompt_.OnLost(kLostErrors);
  audio_.LoseWorker();
  DropSoundTexts();
  audio_told_ = false;
  audio_.SetReady(false);
  for (auto* region : {&attached_, &attaching_}) {
    if (*region) (*region)->Retire();
    region->reset();
  }
  ++losses_;
}

template <>
void FilterEngine::OnWorker(host::WorkerSeat::Lost& lost) {
  ForgetWorker();
  line_.LoseWorker();
  // The next one comes with its own idea of prompt and size.
  wish_.Forget();
  // The old worker may still write into memory that it maps: it is never shown to another.
  if (region_used_) NoteNewRegion();
  if (lost.reason != host::WorkerSeat::LossReason::kReplaced) {
    stats_.last_error = "worker lost: " + lost.detail;
    notices_.emplace_back(std::move(lost));
  }
  changed_.notify_all();
}

template <>
void FilterEngine::OnWorker(host::WorkerSeat::GivenUp& given_up) {
  Fail("no worker can be started: " + given_up.detail);
}

template <>
void FilterEngine::OnWorker(host::WorkerClient::AudioCompleted& completed) {
  if (completed.error) stats_.last_error = "audio: " + *completed.error;
  audio_.Complete(completed.sequence, std::move(completed.samples), Now());
}

void FilterEngine::Handle(host::WorkerSeat::Event event) {
  std::visit([this](auto& what) { OnWorker(what); }, event);
}

void FilterEngine::Fail(std::string message) {
  failed_ = true;
  stats_.last_error = message;
  notices_.emplace_back(Failure{std::move(message)});
  changed_.notify_all();
}

void FilterEngine::MoveOn() {
  if (failed_) return;
  SendPrompt();
  AttachRegion();
  MoveStandby();
  SubmitWaiting();
  SubmitAudio();
}

void FilterEngine::SendPrompt() {
  if (!seat_->seated()) return;
  const auto prompt = prompt_.NextToSend();
  if (!prompt) return;
  if (!seat_->Takes(prompt->settings)) {
    host::WorkerClient::PromptRejected rejected{prompt->revision, host::kNoSettingsErrors};
    return OnWorker(rejected);
  }
  const Status sent = seat_->SetPrompt(prompt->revision, prompt->text, prompt->settings);
  if (!sent) {
    seat_->Drop(host::WorkerSeat::LossReason::kFailed, sent.error().message);
    wake_->Notify();
  }
}

void FilterEngine::AttachRegion() {
  const bool wanted = region_ && region_ != attached_ && !attaching_ && !Holding();
  if (!wanted || !prompt_.running() || line_.in_flight() > 0) return;
  if (const Status sent = seat_->Attach(region_->layout(), region_->memory()); !sent) {
    seat_->Drop(host::WorkerSeat::LossReason::kFailed, sent.error().message);
    wake_->Notify();
    return;
  }
  region_used_ = true;
  attaching_ = region_;
}

void FilterEngine::UpdateReadiness() {
  audio_.SetReady(prompt_.running() && audio_told_);
  const bool ready = prompt_.running() && attached_ && attached_ == region_ && !Holding();
  line_.SetWorker(ready ? FrameLine::Worker::kReady : FrameLine::Worker::kAbsent);
}

void FilterEngine::SubmitWaiting() {
  if (standby_ && standby_->draining()) return;  // for the worker that takes over
  LineFrame* frame = line_.NextToSubmit();
  if (frame == nullptr) return;
  const SteadyTime now = Now();
  if (frame->format->id != format_->id) return line_.SkipWaiting(now);
  Placing placing = TakeSlots(*frame);
  if (placing == Placing::kNoSlot) {
    // Wanted before the last look, so that no slot is freed between the two unheard.
    *slot_wanted_ = true;
    placing = TakeSlots(*frame);
  }
  if (placing == Placing::kNoSlot) return;
  if (placing == Placing::kUnreadable) return FailUnreadable(frame->sequence);
  const std::uint32_t output = frame->output->slot();
  if (!region_->MarkSubmitted(frame->input_slot, output)) {
    if (frame->copied) return line_.SkipWaiting(now);
    // Two buffers share one memory, and the other one was submitted already: this one is copied.
    frame->packed = nullptr;
    return SubmitWaiting();
  }
  if (!seat_->Submit(frame->sequence, frame->input_slot, output)) {
    // The worker is about to be found gone; the frame waits for the next one.
    [[maybe_unused]] const Status done = region_->MarkDone(frame->input_slot, output);
    frame->output.reset();
    return;
  }
  line_.Submitted(now);
  changed_.notify_all();
}

// An input and an output slot of the region at hand.
FilterEngine::Placing FilterEngine::TakeSlots(LineFrame& frame) {
  const Placing placing = PlaceInSlot(frame, region_);
  if (placing != Placing::kPlaced) return placing;
  if (!frame.output || &frame.output->region() != region_.get()) {
    frame.output = SlotLease::TakeOutput(region_);
  }
  return frame.output ? Placing::kPlaced : Placing::kNoSlot;
}

// Brings the frame's pixels into an input slot of `region`, if need be by copying them.
FilterEngine::Placing FilterEngine::PlaceInSlot(LineFrame& frame,
                                                const std::shared_ptr<host::FrameRegion>& region) {
  if (frame.copied && &frame.copied->region() == region.get()) return Placing::kPlaced;
  if (frame.packed != nullptr) {
    if (const auto slot = InputSlotAt(*region, frame.packed)) {
      frame.input_slot = *slot;
      return Placing::kPlaced;
    }
  }
  auto lease = SlotLease::TakeInput(region);
  if (!lease) return Placing::kNoSlot;
  if (!options_.copy_source(frame.source.get(), *frame.format, lease->bytes())) {
    return Placing::kUnreadable;
  }
  frame.input_slot = lease->slot();
  frame.copied = std::move(lease);
  ++copied_in_;
  return Placing::kPlaced;
}

void FilterEngine::FailUnreadable(FrameSequence sequence) {
  stats_.last_error = "frame " + std::to_string(sequence.value) +
                      " cannot be read: its memory does not map, or is too short for its format";
  line_.FailWaiting();
  Complain(Now());
  wake_->Notify();
  changed_.notify_all();
}

// Takes care that a result of this size fits a slot.
void FilterEngine::FitOutput(std::uint32_t width, std::uint32_t height) {
  const std::uint64_t bytes = protocol::FrameBytes(format_->pixels, width, height);
  if (bytes <= region_->layout().attach().output_slot_bytes) return;
  const std::uint64_t before = std::exchange(output_slot_bytes_, bytes);
  if (const Status made = NewRegion(); !made) {
    // Larger than a region may be: its frames fail one by one, the stream goes on.
    output_slot_bytes_ = before;
    stats_.last_error =
        "an output of " + SizeText(width, height) + " is too large: " + made.error().message;
    return;
  }
  notices_.emplace_back(Renegotiate{});
}

void FilterEngine::NoteNewRegion() {
  if (const Status made = NewRegion(); !made) return Fail(made.error().message);
  notices_.emplace_back(Renegotiate{});
}

Result<std::shared_ptr<host::FrameRegion>> FilterEngine::MakeRegion(
    std::uint64_t output_slot_bytes) {
  const auto in_flight = static_cast<std::uint32_t>(options_.line.max_in_flight);
  host::FrameRegion::Options options;
  options.generation = ++generation_;
  options.format = format_->pixels;
  options.width = format_->width;
  options.height = format_->height;
  // On the way in one more waits; on the way out one more is kept to be repeated. And those that
  // are finished are held until their time has come.
  const auto slots = [used = in_flight + 1 + static_cast<std::uint32_t>(MostHeld(options_.line))](
                         std::size_t margin) {
    return std::min(used + static_cast<std::uint32_t>(margin), protocol::kMaxSlots);
  };
  options.input_slots = slots(options_.upstream_margin);
  options.output_slots = slots(options_.downstream_margin);
  if (output_slot_bytes != 0) options.output_slot_bytes = output_slot_bytes;
  options.on_free = [wake = wake_, wanted = slot_wanted_] {
    if (wanted->exchange(false)) wake->Notify();
  };
  return host::FrameRegion::Create(std::move(options));
}

Status FilterEngine::NewRegion() {
  auto region = MakeRegion(output_slot_bytes_);
  if (!region) return region.error();
  region_ = std::move(*region);
  region_used_ = false;
  UpdateReadiness();
  wake_->Notify();
  return {};
}

}  // namespace framelock::plugins
