// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "api/start_request.h"
#include "api/stream.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// All streams by id. An id is taken from the moment a start is accepted until its stream is
/// stopped; ended and failed streams stay to be looked at, at most max_ended of them, and give
/// their id to the next start. Loop thread only. Full: a start is refused, nothing else happens.
class StreamRegistry {
 public:
  struct Options {
    std::size_t max_streams = 16;  // that run
    std::size_t max_ended = 64;    // that are kept to be looked at
  };

  StreamRegistry(Stream::Surroundings& around, Options options)
      : around_(around), options_(options) {}

  /// kAlreadyExists: the id is taken; kResourceLimit: max_streams run; kUnavailable: closed. All
  /// before any side effect. A start that fails otherwise leaves nothing behind, and the record of
  /// the stream that had the id before it stays.
  net::Task<Result<PromptVerdict>> Start(stream::StreamConfig config, std::string prompt,
                                         StreamPlan plan = StreamPlan());

  /// False: no such stream. Returns when every process of it is gone.
  net::Task<bool> Stop(std::string id);
  /// All that are there now, at once; returns how many ran.
  net::Task<std::size_t> StopAll();
  /// At the end of the program: no start is accepted any more (kUnavailable), and all are stopped,
  /// those that are only starting, too.
  net::Task<> Close();

  [[nodiscard]] std::shared_ptr<Stream> Find(const std::string& id) const;
  [[nodiscard]] const std::map<std::string, std::shared_ptr<Stream>>& streams() const {
    return streams_;
  }
  [[nodiscard]] std::size_t active() const;

 private:
  net::Task<> End(std::shared_ptr<Stream> stream);
  void ForgetOldest();

  Stream::Surroundings& around_;
  Options options_;
  bool closed_ = false;
  std::map<std::string, std::shared_ptr<Stream>> streams_;
};

}  // namespace framelock::api
