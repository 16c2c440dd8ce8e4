// SPDX-License-Identifier: Apache-2.0
#include "workers/host/audio_requests.h"

#include <utility>

#include "workers/protocol/error_text.h"
#include "workers/protocol/message_codec.h"
#include "workers/protocol/shared_region.h"

namespace framelock::host {

namespace {

Error Lie(const std::string& what) {
  return Error{ErrorCode::kProtocol, "the worker broke the protocol: audio completed: " + what};
}

}  // namespace

Result<AudioRequests::Request> AudioRequests::Make(std::uint64_t sequence,
                                                   std::uint32_t sample_rate,
                                                   std::span<const std::int16_t> samples) const {
  if (in_flight_.size() >= kMaxInFlight) {
    return Error{ErrorCode::kUnavailable, "the worker has not answered the audio before yet"};
  }
  if (sequence <= last_sequence_ || samples.empty() ||
      samples.size() > protocol::kMaxAudioSamples) {
    return Error{ErrorCode::kInvalidArgument, "audio of " + std::to_string(samples.size()) +
                                                  " samples, number " + std::to_string(sequence)};
  }
  auto fd = protocol::MakeSamplesFd(samples);
  if (!fd) return fd.error();
  Request request;
  request.message.sequence = sequence;
  request.message.sample_rate = sample_rate;
  request.message.samples = static_cast<std::uint32_t>(samples.size());
  request.samples = std::move(*fd);
  return request;
}

void AudioRequests::OnSent(const protocol::SubmitAudio& message) {
  last_sequence_ = message.sequence;
  in_flight_.push_back(message);
}

Result<AudioCompleted> AudioRequests::OnAnswer(PacketSocket::Packet packet,
                                               std::uint64_t revision) {
  auto message = protocol::Decode<protocol::AudioCompleted>(packet.bytes);
  if (!message) return Lie(message.error().message);
  // In order, as all answers.
  if (in_flight_.empty() || in_flight_.front().sequence != message->sequence) {
    return Lie("sequence " + std::to_string(message->sequence) +
               " is unknown or was answered before");
  }
  const std::uint32_t submitted = in_flight_.front().samples;
  in_flight_.pop_front();
  if (message->revision != revision) {
    return Lie("revision " + std::to_string(message->revision) + " instead of " +
               std::to_string(revision));
  }
  if (auto fine = protocol::CheckErrorText(message->error); !fine) {
    return Lie(fine.error().message);
  }
  const bool failed = message->outcome == protocol::FrameOutcome::kFailed;
  if (!failed && message->outcome != protocol::FrameOutcome::kCompleted) {
    return Lie("outcome is unknown");
  }
  if (message->samples != 0 && (failed || message->samples != submitted)) {
    return Lie(std::to_string(message->samples) + " samples of " + std::to_string(submitted));
  }
  if (packet.fds.size() != (message->samples == 0 ? 0U : 1U)) {
    return Lie("wrong number of descriptors");
  }
  AudioCompleted completed{.sequence = message->sequence, .revision = message->revision};
  if (failed) completed.error = message->error.data();
  if (message->samples != 0) {
    auto samples = protocol::ReadSamples(std::move(packet.fds[0]), message->samples);
    if (!samples) return Lie(samples.error().message);
    completed.samples = std::move(*samples);
  }
  return completed;
}

}  // namespace framelock::host
