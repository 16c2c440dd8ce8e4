// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace framelock::bench {

/// How thorough a run is. Figures of a smoke run mean nothing: it shows that a suite works.
enum class Depth { kSmoke, kQuick, kFull };

/// A server beside ours that runs already.
struct PeerServer {
  std::string url;  // empty: none
  std::string name = "peer";
  int pid = 0;  // of its process, for its CPU and memory; 0: unknown
  [[nodiscard]] bool named() const { return !url.empty(); }
};

/// What the command line said.
struct RunOptions {
  Depth depth = Depth::kFull;
  std::optional<std::chrono::seconds> seconds;  // of one measurement; unset: the suite's own
  std::optional<int> pairs;                     // repetitions, interleaved with the peer's
  std::string only;                             // cases whose name holds this; empty: all
  PeerServer peer_relay;                        // another trickle server
  PeerServer peer_api;                          // another server with POST /stream/start
  std::filesystem::path programs;               // where framelock-relay and so on lie
  std::filesystem::path out;                    // the results folder

  /// How long one measurement is to take; `usual` is the full run's.
  [[nodiscard]] std::chrono::milliseconds RunTime(std::chrono::milliseconds usual) const {
    using std::chrono::milliseconds;
    if (depth == Depth::kSmoke) return std::min(usual, milliseconds(300));
    if (seconds) return *seconds;
    return depth == Depth::kQuick ? std::max(usual / 5, milliseconds(1000)) : usual;
  }
  /// How many repetitions; a ratio needs five pairs to be worth saying.
  [[nodiscard]] int Pairs() const { return Choose(1, pairs.value_or(2), pairs.value_or(5)); }
  /// What suits the depth.
  template <typename T>
  [[nodiscard]] T Choose(T smoke, T quick, T full) const {
    return depth == Depth::kSmoke ? smoke : depth == Depth::kQuick ? quick : full;
  }
  [[nodiscard]] bool Wants(const std::string& scenario) const {
    return scenario.find(only) != std::string::npos;
  }
  [[nodiscard]] std::string Program(const std::string& name) const { return programs / name; }
};

}  // namespace framelock::bench
