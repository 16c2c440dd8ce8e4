// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace framelock::plugins {

// A workerfilter in a harness, with a real worker that also knows the fault nodes. Frames carry
// their number as black and white pixels, which an inverting graph inverts.
class FilterRig {
 public:
  struct Options {
    std::string prompt;      // empty: the element's default
    std::string properties;  // "name=value name=value", as in gst-launch
    std::string worker_arguments = "--fault-nodes";
    std::string worker_command;  // of another one; empty: the real one with these arguments
    enum class Worker { kOwn, kLent } worker = Worker::kOwn;
    enum class Play { kYes, kNo } play = Play::kYes;
    std::function<void(GstBus*)> on_bus;  // before the start; empty: nothing
  };
  struct Frame {
    GstClockTime pts = 0;
    std::uint32_t number = 0;
    bool inverted = false;
    int width = 0, height = 0;
    const void* pixels = nullptr;
  };

  explicit FilterRig(const Options& options);
  ~FilterRig();
  FilterRig(const FilterRig&) = delete;
  FilterRig& operator=(const FilterRig&) = delete;

  void SetCaps(const std::string& format, int width, int height);
  // Pushes frame `number` at its time (33 ms apart), in a buffer from the element's pool.
  GstFlowReturn Push(std::uint32_t number);
  // The same in plain memory.
  GstFlowReturn PushPlain(std::uint32_t number);
  // A buffer as upstream gets it.
  GstBuffer* PoolBuffer();
  // The next output frame; nullopt: none came in time.
  std::optional<Frame> Pull(int timeout_ms = 5000);
  // The next output buffer itself.
  GstBuffer* PullBuffer(int timeout_ms = 5000);
  // A frame with the caps that it was pushed under.
  static Frame Look(GstBuffer* buffer, GstCaps* caps);
  // What is there already.
  std::vector<Frame> Drain();
  std::optional<GstEvent*> PullEvent(GstEventType type, int timeout_ms = 5000);

  std::uint64_t Stat(const char* name) const;
  std::string TextStat(const char* name) const;
  int WorkerPid() const;
  void ExpectAccount() const;
  // Waits until `condition` holds.
  static bool Eventually(const std::function<bool()>& condition, int timeout_ms = 5000);
  bool WaitReady() const;

  struct PromptResult {
    bool applied;
    std::uint64_t revision;
    std::string errors;
  };
  PromptResult SetPrompt(const std::string& prompt) const;
  // By the update signal; takes the structure.
  PromptResult Update(GstStructure* what) const;
  // The next message of the worker's ("ready" or "lost"), or of an error ("error").
  struct Message {
    std::string event, reason, detail;
    int pid = 0;
  };
  std::optional<Message> WaitMessage(const std::string& event, int timeout_ms = 5000) const;

  GstHarness* harness() const { return harness_; }
  GstElement* element() const { return element_; }
  static std::string WorkerCommand(const std::string& arguments);

 private:
  void AskForPool();
  void DropPool();
  GstFlowReturn PushBuffer(GstBuffer* buffer, std::uint32_t number);
  static PromptResult ReadAnswer(GstStructure* answer);

  GstElement* element_ = nullptr;
  GstHarness* harness_ = nullptr;
  GstBus* bus_ = nullptr;
  GstBufferPool* pool_ = nullptr;
};

// Pushes frames from a thread of its own, as a live source does, until it is destroyed.
class Source {
 public:
  Source(FilterRig& rig, std::chrono::milliseconds interval, std::uint32_t first = 0);
  ~Source();

 private:
  std::jthread thread_;
};

// Prompts: the frame goes through the named nodes one after the other.
std::string PromptOf(const std::vector<std::string>& nodes);
std::string Invert();  // a node
std::string Node(const std::string& class_type, const std::string& inputs);

// True if the address lies in a mapping of a region that is shared with a worker.
bool IsSharedWithWorker(const void* address);

// What must not grow.
struct Resources {
  int fds = 0, threads = 0, children = 0, regions = 0;
  friend bool operator==(const Resources&, const Resources&) = default;
};
Resources ResourcesNow();
std::ostream& operator<<(std::ostream& stream, const Resources& resources);

}  // namespace framelock::plugins
