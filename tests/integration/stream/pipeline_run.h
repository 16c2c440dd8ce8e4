// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <utility>
#include <vector>

#include "pipeline/stream/stream_pipeline.h"
#include "tests/integration/stream/fake_elements.h"
#include "tests/integration/stream/sample_video.h"
#include "tests/support/fake_clock.h"

namespace framelock::stream {

/// One transport stream through a StreamPipeline between scripted elements, from begin to end.
struct PipelineRun {
  std::vector<SeenFrame> frames;  // that came out
  StreamStatus status;            // at the end
  std::string failure;            // empty: it ended in good order

  static StreamPipeline::Options Options(int width = 320, int height = 240) {
    StreamPipeline::Options options;
    options.config.id = "test";
    options.config.subscribe_url = "http://test/in";
    options.config.publish_url = "http://test/out";
    options.config.width = width;
    options.config.height = height;
    options.config.gop_seconds = 1;
    return options;
  }

  /// For what is played faster than it would be live: no time passes while it is read.
  static StreamPipeline::Options Untimed(int width = 320, int height = 240) {
    static const FakeClock still;
    StreamPipeline::Options options = Options(width, height);
    options.input.clock = &still;
    return options;
  }

  /// Leaves `frames` empty: see fake::Published().
  static PipelineRun Undecoded(std::vector<fake::Piece> pieces,
                               const StreamPipeline::Options& options = Untimed()) {
    fake::Play(std::move(pieces), fake::AtEnd::kEndOfStream);
    return Replay(options);
  }
  /// Of what was given to fake::Play() already.
  static PipelineRun Replay(const StreamPipeline::Options& options) {
    PipelineRun run;
    auto created = StreamPipeline::Create(options);
    EXPECT_TRUE(created.ok());
    StreamPipeline& stream = **created;
    EXPECT_TRUE(stream.Start().ok());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(200);
    std::optional<StreamPipeline::Event> event;
    while (!event && std::chrono::steady_clock::now() < deadline) {
      event = stream.NextEvent();
      pollfd entry{stream.bus_fd(), POLLIN, 0};
      if (!event) ::poll(&entry, 1, 50);
    }
    run.status = stream.Look(std::chrono::steady_clock::now());
    if (!event) run.failure = "nothing happened";
    if (event && std::holds_alternative<StreamPipeline::Failed>(*event)) {
      run.failure = std::get<StreamPipeline::Failed>(*event).message;
    }
    created->reset();
    return run;
  }
  static PipelineRun Of(std::vector<fake::Piece> pieces,
                        const StreamPipeline::Options& options = Untimed()) {
    PipelineRun run = Undecoded(std::move(pieces), options);
    run.frames = Decode(fake::Published());
    return run;
  }
  static PipelineRun Of(const Bytes& stream, const StreamPipeline::Options& options = Untimed()) {
    return Of(fake::Cut(stream, 1316), options);
  }

  [[nodiscard]] std::uint64_t input(const char* figure) const {
    return status.input[figure].get<std::uint64_t>();
  }
};

}  // namespace framelock::stream
