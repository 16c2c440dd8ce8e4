// SPDX-License-Identifier: Apache-2.0
#include "plugins/standby_worker.h"

#include <utility>
#include <variant>

namespace framelock::plugins {

namespace {

host::WorkerSeat::Options Lent(host::WorkerSeat::Options options) {
  options.command.reset();
  return options;
}

}  // namespace

StandbyWorker::StandbyWorker(const host::WorkerSeat::Options& options, PacketSocket socket,
                             std::optional<FrameSize> size)
    : seat_(std::make_unique<host::WorkerSeat>(Lent(options))), size_(size) {
  seat_->Lend(std::move(socket));
}

StandbyWorker::~StandbyWorker() {
  if (seat_) seat_->Release();
}

void StandbyWorker::MoveOn(const std::shared_ptr<const InputFormat>& format,
                           const MakeRegion& make) {
  while (auto event = seat_->Next()) {
    Handle(*event, format.get());
    if (failure_) return;
  }
  if (revision_ == 0 || !format) return;
  if (format_ != format->id && (attached_ || !region_)) Attach(*format, make);
}

void StandbyWorker::Handle(const host::WorkerSeat::Event& event, const InputFormat* format) {
  if (const auto* welcomed = std::get_if<host::WorkerClient::Welcomed>(&event)) {
    revision_ = welcomed->revision;
    if (revision_ == 0) failure_ = "the worker runs no prompt";
  } else if (const auto* attached = std::get_if<host::WorkerClient::Attached>(&event)) {
    OnAttached(*attached, format);
  } else if (const auto* lost = std::get_if<host::WorkerSeat::Lost>(&event)) {
    failure_ = lost->detail;
  }
}

void StandbyWorker::OnAttached(const host::WorkerClient::Attached& attached,
                               const InputFormat* format) {
  if (attached.output_width == 0) {
    failure_ = "the worker refused the stream's frames";
    return;
  }
  attached_ = true;
  audio_ms_ = attached.audio_ms;
  if (format == nullptr || format_ != format->id) return;  // another region follows
  const std::uint64_t needed =
      protocol::FrameBytes(format->pixels, attached.output_width, attached.output_height);
  if (!may_grow_ || needed <= region_->layout().attach().output_slot_bytes) return;
  output_slot_bytes_ = needed;
  format_.reset();
}

void StandbyWorker::Attach(const InputFormat& format, const MakeRegion& make) {
  auto region = make(output_slot_bytes_);
  if (!region && output_slot_bytes_ != 0) {
    // Larger than a region may be: the frames will say so one by one.
    may_grow_ = false;
    output_slot_bytes_ = 0;
    region = make(0);
  }
  if (!region) {
    failure_ = region.error().message;
    return;
  }
  const Status sent = seat_->Attach((*region)->layout(), (*region)->memory());
  if (!sent) {
    failure_ = sent.error().message;
    return;
  }
  region_ = std::move(*region);
  format_ = format.id;
  attached_ = false;
}

bool StandbyWorker::Ready(const std::shared_ptr<const InputFormat>& format) const {
  if (failure_ || revision_ == 0) return false;
  return !format || (attached_ && format_ == format->id);
}

StandbyWorker::Taken StandbyWorker::Take() {
  return {.seat = std::move(seat_),
          .region = attached_ ? std::move(region_) : nullptr,
          .output_slot_bytes = output_slot_bytes_,
          .revision = revision_,
          .audio_ms = audio_ms_,
          .size = size_};
}

}  // namespace framelock::plugins
