// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/worker_round_trip.h"

#include <poll.h>

#include <array>
#include <cstring>
#include <utility>
#include <variant>

namespace framelock::bench {
namespace {

constexpr int kTimeoutMs = 10'000;

}  // namespace

// As an element waits: for the worker, and for what it says on standard error.
template <typename Event>
Result<Event> WorkerRoundTrip::Next() {
  for (;;) {
    auto event = client_->Receive();
    if (!event) return event.error();
    if (event->has_value()) {
      if (auto* wanted = std::get_if<Event>(&**event)) return std::move(*wanted);
      return Error{ErrorCode::kProtocol, "the worker answered something else"};
    }
    std::array<pollfd, 2> fds{{{.fd = client_->fd(), .events = POLLIN, .revents = 0},
                               {.fd = process_->stderr_fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(fds.data(), fds.size(), kTimeoutMs) == 0) {
      return Error{ErrorCode::kTimeout, "the worker did not answer"};
    }
    if (fds[1].revents != 0) process_->DrainStderr();
  }
}

Result<std::unique_ptr<WorkerRoundTrip>> WorkerRoundTrip::Start(const std::string& worker) {
  auto spawned = host::SpawnWorker({.argv = {worker}, .die_with_parent_thread = true});
  if (!spawned) return spawned.error();
  PacketSocket socket = std::move(spawned->socket);
  auto trip = std::unique_ptr<WorkerRoundTrip>(new WorkerRoundTrip(std::move(*spawned)));
  auto client = host::WorkerClient::Greet(std::move(socket));
  if (!client) return client.error();
  trip->client_ = std::move(*client);
  const auto welcomed = trip->Next<host::WorkerClient::Welcomed>();
  if (!welcomed) return welcomed.error();
  return trip;
}

Status WorkerRoundTrip::Attach(const FrameShape& frame) {
  auto region = host::FrameRegion::Create({.generation = ++generation_,
                                           .format = frame.bytes_per_pixel == 4
                                                         ? protocol::PixelFormat::kRgba8
                                                         : protocol::PixelFormat::kRgb8,
                                           .width = frame.width,
                                           .height = frame.height});
  if (!region) return region.error();
  region_ = std::move(*region);
  for (std::uint32_t slot = 0; slot < region_->layout().attach().input_slots; ++slot) {
    const auto bytes = region_->input(slot);
    std::memset(bytes.data(), 0x5A, bytes.size());
  }
  if (auto sent = client_->Attach(region_->layout(), region_->memory()); !sent) return sent;
  const auto attached = Next<host::WorkerClient::Attached>();
  if (!attached) return attached.error();
  if (attached->output_width == 0) return Error{ErrorCode::kProtocol, "the region was refused"};
  return {};
}

Status WorkerRoundTrip::Trip() {
  const auto input = region_->AcquireInput();
  const auto output = region_->AcquireOutput();
  if (!input || !output) return Error{ErrorCode::kInternal, "no slot is free"};
  if (auto marked = region_->MarkSubmitted(*input, *output); !marked) return marked;
  if (auto sent = client_->Submit({++sequence_}, *input, *output); !sent) return sent;
  const auto completed = Next<host::WorkerClient::Completed>();
  if (!completed) return completed.error();
  if (completed->sequence != sequence_ || completed->output_slot != *output) {
    return Error{ErrorCode::kProtocol, "another frame came back"};
  }
  if (auto marked = region_->MarkDone(*input, *output); !marked) return marked;
  if (auto released = region_->ReleaseInput(*input); !released) return released;
  return region_->ReleaseOutput(*output);
}

Result<Distribution> WorkerRoundTrip::Measure(const RoundTrips& trips) {
  if (auto attached = Attach(trips.frame); !attached) return attached.error();
  return trips.Measure([this] { return Trip(); });
}

}  // namespace framelock::bench
