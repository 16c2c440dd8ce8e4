// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>

#include "tests/bench/trickle_load.h"

namespace framelock::bench {

/// Writes one channel, chunk by chunk, on a fixed beat. A segment's last chunk, its end and the
/// next one's first chunk go out together: what a subscriber sees between them is the seam.
class LoadPublisher {
 public:
  LoadPublisher(LoadLoop& loop, const LoadOptions& options, std::uint32_t channel,
                const std::string& name);

  void CreateChannel() { Ask("POST", "Expect-Content: video/mp2t\r\n"); }
  void DeleteChannel() { Ask("DELETE", ""); }
  /// Nothing is asked of the server any more.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool failed() const;

  void Start(SteadyTime first);
  /// Writes what is due; when to come again, or nullopt after the last chunk.
  std::optional<SteadyTime> Tick();

 private:
  void Ask(const std::string& method, const std::string& headers);
  LoadConnection& connection(std::uint32_t segment) { return lines_[segment % 2]; }
  void BeginSegment(std::uint32_t segment);
  void WriteChunk();
  void EndSegment();
  void Preconnect();

  const LoadOptions& options_;
  const std::uint32_t channel_;
  const std::string path_;  // of the channel
  LoadConnection control_;
  std::array<LoadConnection, 2> lines_;
  std::string chunk_;  // as it goes over the wire
  std::uint32_t segment_ = 0;
  std::uint32_t written_ = 0;  // chunks of it
  std::uint32_t begun_ = 0;    // segments whose POST has been sent
  SteadyTime next_;
};

}  // namespace framelock::bench
