// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/gst_handle.h"
#include "pipeline/stream/text_batch.h"

namespace framelock::stream {

/// Publishes a stream's texts as JSON lines on a trickle channel of their own (application/jsonl):
/// appsrc ! tricklesink, a pipeline beside the stream's, so that nothing here holds up a frame.
/// What waits, waits in the batch and in the sink's bounded queue (dropped by whole segments). A
/// channel that is away is tried again for ever; one that is refused or ended ends the texts, not
/// the stream. Owned by the main thread, which makes all calls.
class DataChannel {
 public:
  /// GStreamer must be initialised.
  static Result<std::unique_ptr<DataChannel>> Open(const std::string& url,
                                                   const TextBatch::Options& options,
                                                   SteadyTime now);
  ~DataChannel();  // at once, what waits is lost
  DataChannel(const DataChannel&) = delete;
  DataChannel& operator=(const DataChannel&) = delete;

  /// A string in JSON, quoted and without line feed.
  void Add(std::string text);
  /// Publishes what is due.
  void MoveOn(SteadyTime now);
  [[nodiscard]] SteadyTime NextDeadline() const;
  /// Publishes what waits and ends the channel; waits for that at most so long.
  void Finish(std::chrono::milliseconds patience);

  [[nodiscard]] std::uint64_t dropped() const { return batch_.dropped() + dropped_; }
  /// The sink's own figures.
  [[nodiscard]] nlohmann::json Stats() const;

 private:
  DataChannel(const TextBatch::Options& options, SteadyTime now);

  Status Build(const std::string& url);
  void Push(const std::string& segment);
  void LookForFailure();

  TextBatch batch_;
  const ElementPtr pipeline_;
  const BusPtr bus_;
  GstElement* source_ = nullptr;  // the pipeline's
  GstElement* sink_ = nullptr;    // likewise
  bool failed_ = false;
  std::uint64_t dropped_ = 0;  // texts after the failure
};

}  // namespace framelock::stream
