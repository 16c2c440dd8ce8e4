// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/line_frame.h"
#include "plugins/size_wish.h"
#include "workers/host/frame_region.h"
#include "workers/host/worker_seat.h"

namespace framelock::plugins {

/// A lent worker that gets ready behind the one at work: greeted, its prompt already applied, and
/// given a region of its own, so that it can take over between two frames. Owned by the engine;
/// its owner polls, calls MoveOn() and locks. Dropped before it was taken, it is told nothing: it
/// stays its lender's.
///
///   greeting --Welcomed--> attaching --Attached--> ready --Take()--> (the engine's)
///      |                      |                      |  ^ (format changed: attaching again)
///      +----------------------+----------------------+--> failed
class StandbyWorker {
 public:
  /// A region for the frames of now; 0: with slots of the usual size.
  using MakeRegion =
      std::function<Result<std::shared_ptr<host::FrameRegion>>(std::uint64_t output_slot_bytes)>;
  struct Taken {
    std::unique_ptr<host::WorkerSeat> seat;
    std::shared_ptr<host::FrameRegion> region;  // null: no format was known
    std::uint64_t output_slot_bytes = 0;        // as MakeRegion was asked for
    std::uint64_t revision = 0;
    std::uint32_t audio_ms = 0;     // that its graph takes at once; 0: none, or no format was known
    std::optional<FrameSize> size;  // that its frames are to have from now on; unset: as before
  };

  StandbyWorker(const host::WorkerSeat::Options& options, PacketSocket socket,
                std::optional<FrameSize> size);
  ~StandbyWorker();
  StandbyWorker(const StandbyWorker&) = delete;
  StandbyWorker& operator=(const StandbyWorker&) = delete;

  [[nodiscard]] std::vector<int> PollFds() const { return seat_->PollFds(); }
  /// When it should be moved on; while draining: when that ends.
  [[nodiscard]] SteadyTime NextDeadline() const {
    return draining_until_ ? *draining_until_ : seat_->NextDeadline();
  }

  /// `format`: null before the first frame.
  void MoveOn(const std::shared_ptr<const InputFormat>& format, const MakeRegion& make);
  /// Whether it could take over with frames of this format.
  [[nodiscard]] bool Ready(const std::shared_ptr<const InputFormat>& format) const;
  /// It only waits for the frames that the one at work still has, until `deadline` at most; a drain
  /// under way keeps its own.
  void Drain(SteadyTime deadline) { draining_until_ = draining_until_.value_or(deadline); }
  void StopDraining() { draining_until_.reset(); }
  [[nodiscard]] bool draining() const { return draining_until_ && !failure_; }
  /// Why it will never be ready.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

  /// Once, when ready; it is used up then.
  Taken Take();

 private:
  void Handle(const host::WorkerSeat::Event& event, const InputFormat* format);
  void OnAttached(const host::WorkerClient::Attached& attached, const InputFormat* format);
  void Attach(const InputFormat& format, const MakeRegion& make);

  std::unique_ptr<host::WorkerSeat> seat_;
  const std::optional<FrameSize> size_;
  std::uint64_t revision_ = 0;
  std::shared_ptr<host::FrameRegion> region_;  // sent
  std::optional<std::uint64_t> format_;        // its frames' format
  std::uint64_t output_slot_bytes_ = 0;
  std::uint32_t audio_ms_ = 0;
  bool attached_ = false;  // answered
  bool may_grow_ = true;   // slots of another size have not been refused
  std::optional<SteadyTime> draining_until_;
  std::optional<std::string> failure_;
};

}  // namespace framelock::plugins
