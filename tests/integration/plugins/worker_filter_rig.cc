// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/worker_filter_rig.h"

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "plugins/worker_filter.h"

namespace framelock::plugins {

namespace {

constexpr GstClockTime kInterval = 33 * GST_MSECOND;
constexpr int kBits = 32;

std::string BinFolder() {
  const char* folder = std::getenv("FRAMELOCK_BIN");
  return folder != nullptr
             ? folder
             : (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../bin")
                   .lexically_normal()
                   .string();
}

void InitOnce() {
  static const bool done = [] {
    gst_init(nullptr, nullptr);
    return framelock_worker_filter_register(nullptr) != FALSE;
  }();
  ASSERT_TRUE(done);
}

}  // namespace

std::string FilterRig::WorkerCommand(const std::string& arguments) {
  return BinFolder() + "/framelock-worker " + arguments;
}

FilterRig::FilterRig(const Options& options) {
  InitOnce();
  element_ = gst_element_factory_make("workerfilter", nullptr);
  gst_object_ref_sink(element_);
  bus_ = gst_bus_new();
  if (options.on_bus) options.on_bus(bus_);
  gst_element_set_bus(element_, bus_);
  if (options.worker == Options::Worker::kLent) {
    g_object_set(element_, "lent", TRUE, nullptr);
  } else {
    const std::string command = options.worker_command.empty()
                                    ? WorkerCommand(options.worker_arguments)
                                    : options.worker_command;
    g_object_set(element_, "worker-command", command.c_str(), nullptr);
  }
  if (!options.prompt.empty()) g_object_set(element_, "prompt", options.prompt.c_str(), nullptr);
  std::istringstream properties(options.properties);
  for (std::string word; properties >> word;) {
    const auto at = word.find('=');
    gst_util_set_object_arg(G_OBJECT(element_), word.substr(0, at).c_str(),
                            word.substr(at + 1).c_str());
  }
  if (options.play == Options::Play::kNo) return;
  harness_ = gst_harness_new_with_element(element_, "sink", "src");
}

FilterRig::~FilterRig() {
  DropPool();
  if (harness_ != nullptr) gst_harness_teardown(harness_);
  gst_element_set_bus(element_, nullptr);
  gst_element_set_state(element_, GST_STATE_NULL);
  gst_object_unref(element_);
  gst_bus_set_flushing(bus_, TRUE);
  gst_object_unref(bus_);
}

void FilterRig::SetCaps(const std::string& format, int width, int height) {
  const std::string caps = "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
                           ",height=" + std::to_string(height) + ",framerate=30/1";
  gst_harness_set_src_caps_str(harness_, caps.c_str());
  AskForPool();
}

// As an upstream element does; the harness itself asks for no pool.
void FilterRig::AskForPool() {
  DropPool();
  GstCaps* caps = gst_pad_get_current_caps(harness_->srcpad);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  ASSERT_TRUE(gst_pad_peer_query(harness_->srcpad, query));
  ASSERT_EQ(gst_query_get_n_allocation_pools(query), 1U);
  guint size = 0;
  guint least = 0;
  guint most = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &pool_, &size, &least, &most);
  gst_query_unref(query);
  GstStructure* config = gst_buffer_pool_get_config(pool_);
  gst_buffer_pool_config_set_params(config, caps, size, least, most);
  gst_caps_unref(caps);
  ASSERT_TRUE(gst_buffer_pool_set_config(pool_, config));
  ASSERT_TRUE(gst_buffer_pool_set_active(pool_, TRUE));
}

void FilterRig::DropPool() {
  if (pool_ == nullptr) return;
  gst_buffer_pool_set_active(pool_, FALSE);
  gst_object_unref(pool_);
  pool_ = nullptr;
}

GstBuffer* FilterRig::PoolBuffer() {
  if (gst_pad_check_reconfigure(harness_->srcpad)) AskForPool();
  GstBuffer* buffer = nullptr;
  EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
  return buffer;
}

GstFlowReturn FilterRig::Push(std::uint32_t number) { return PushBuffer(PoolBuffer(), number); }

GstFlowReturn FilterRig::PushPlain(std::uint32_t number) {
  GstCaps* caps = gst_pad_get_current_caps(harness_->srcpad);
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  gst_caps_unref(caps);
  return PushBuffer(gst_buffer_new_allocate(nullptr, info.size, nullptr), number);
}

GstFlowReturn FilterRig::PushBuffer(GstBuffer* buffer, std::uint32_t number) {
  GstMapInfo map;
  EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  std::fill_n(map.data, map.size, static_cast<guint8>(number * 7));
  for (int bit = 0; bit < kBits; ++bit) {
    std::fill_n(map.data + bit * 4, 4, (number >> bit & 1) != 0 ? 255 : 0);
  }
  // The last four bytes of the band tell black from white.
  std::fill_n(map.data + kBits * 4, 4, 255);
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = number * kInterval;
  GST_BUFFER_DURATION(buffer) = kInterval;
  GST_BUFFER_OFFSET(buffer) = number;
  return gst_harness_push(harness_, buffer);
}

GstBuffer* FilterRig::PullBuffer(int timeout_ms) {
  GstBuffer* buffer = nullptr;
  Eventually([&] { return (buffer = gst_harness_try_pull(harness_)) != nullptr; }, timeout_ms);
  return buffer;
}

std::optional<FilterRig::Frame> FilterRig::Pull(int timeout_ms) {
  GstBuffer* buffer = PullBuffer(timeout_ms);
  if (buffer == nullptr) return std::nullopt;
  GstCaps* caps = gst_pad_get_current_caps(harness_->sinkpad);
  const Frame frame = Look(buffer, caps);
  gst_caps_unref(caps);
  gst_buffer_unref(buffer);
  return frame;
}

std::vector<FilterRig::Frame> FilterRig::Drain() {
  std::vector<Frame> frames;
  while (auto frame = Pull(0)) frames.push_back(*frame);
  return frames;
}

FilterRig::Frame FilterRig::Look(GstBuffer* buffer, GstCaps* caps) {
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  Frame frame{.pts = GST_BUFFER_PTS(buffer), .width = info.width, .height = info.height};
  GstMapInfo map;
  EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
  EXPECT_EQ(map.size, info.size);
  frame.pixels = map.data;
  frame.inverted = map.data[kBits * 4] < 128;
  for (int bit = 0; bit < kBits; ++bit) {
    const bool white = map.data[bit * 4] >= 128;
    if (white != frame.inverted) frame.number |= 1U << bit;
  }
  // A pixel far from the band, so that a torn frame shows.
  const int expected = static_cast<guint8>(frame.number * 7);
  const int last = map.data[static_cast<gsize>(info.stride[0]) * (info.height - 1)];
  if (frame.width == 64) {
    EXPECT_NEAR(frame.inverted ? 255 - last : last, expected, 1) << "frame " << frame.number;
  }
  gst_buffer_unmap(buffer, &map);
  return frame;
}

std::optional<GstEvent*> FilterRig::PullEvent(GstEventType type, int timeout_ms) {
  GstEvent* found = nullptr;
  Eventually(
      [&] {
        while (GstEvent* event = gst_harness_try_pull_event(harness_)) {
          if (GST_EVENT_TYPE(event) == type) {
            found = event;
            return true;
          }
          gst_event_unref(event);
        }
        return false;
      },
      timeout_ms);
  return found != nullptr ? std::optional(found) : std::nullopt;
}

std::uint64_t FilterRig::Stat(const char* name) const {
  GstStructure* stats = nullptr;
  g_object_get(element_, "stats", &stats, nullptr);
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, name, &value)) << name;
  gst_structure_free(stats);
  return value;
}

std::string FilterRig::TextStat(const char* name) const {
  GstStructure* stats = nullptr;
  g_object_get(element_, "stats", &stats, nullptr);
  std::string text = gst_structure_get_string(stats, name);
  gst_structure_free(stats);
  return text;
}

int FilterRig::WorkerPid() const {
  GstStructure* stats = nullptr;
  g_object_get(element_, "stats", &stats, nullptr);
  gint pid = 0;
  gst_structure_get_int(stats, "worker-pid", &pid);
  gst_structure_free(stats);
  return pid;
}

void FilterRig::ExpectAccount() const {
  GstStructure* stats = nullptr;
  g_object_get(element_, "stats", &stats, nullptr);
  const auto get = [stats](const char* name) {
    guint64 value = 0;
    EXPECT_TRUE(gst_structure_get_uint64(stats, name, &value)) << name;
    return value;
  };
  EXPECT_EQ(get("inputs"),
            get("completed") + get("skipped") + get("failed") + get("lost") + get("open"));
  EXPECT_EQ(get("pushed"), get("completed") + get("passed-through") + get("repeated"));
  gst_structure_free(stats);
}

bool FilterRig::Eventually(const std::function<bool()>& condition, int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool FilterRig::WaitReady() const {
  return Eventually([this] { return TextStat("worker-state") == "ready"; }, 20'000);
}

FilterRig::PromptResult FilterRig::SetPrompt(const std::string& prompt) const {
  GstStructure* answer = nullptr;
  g_signal_emit_by_name(element_, "set-prompt", prompt.c_str(), &answer);
  return ReadAnswer(answer);
}

FilterRig::PromptResult FilterRig::Update(GstStructure* what) const {
  GstStructure* answer = nullptr;
  g_signal_emit_by_name(element_, "update", what, &answer);
  gst_structure_free(what);
  return ReadAnswer(answer);
}

FilterRig::PromptResult FilterRig::ReadAnswer(GstStructure* answer) {
  gboolean applied = FALSE;
  guint64 revision = 0;
  gst_structure_get_boolean(answer, "applied", &applied);
  gst_structure_get_uint64(answer, "revision", &revision);
  PromptResult result{applied != FALSE, revision, gst_structure_get_string(answer, "errors")};
  gst_structure_free(answer);
  return result;
}

std::optional<FilterRig::Message> FilterRig::WaitMessage(const std::string& event,
                                                         int timeout_ms) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
        deadline - std::chrono::steady_clock::now());
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus_, static_cast<GstClockTime>(std::max<std::int64_t>(left.count(), 0)),
        static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR));
    if (message == nullptr) return std::nullopt;
    Message found;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gchar* debug = nullptr;
      gst_message_parse_error(message, &error, &debug);
      found = {.event = "error", .detail = error->message};
      g_error_free(error);
      g_free(debug);
    } else if (gst_message_has_name(message, "framelock-worker") != 0) {
      const GstStructure* structure = gst_message_get_structure(message);
      found.event = gst_structure_get_string(structure, "event");
      gst_structure_get_int(structure, "pid", &found.pid);
      if (found.event == "lost") {
        found.reason = gst_structure_get_string(structure, "reason");
        found.detail = gst_structure_get_string(structure, "detail");
      }
    }
    gst_message_unref(message);
    if (found.event == event) return found;
  }
}

Source::Source(FilterRig& rig, std::chrono::milliseconds interval, std::uint32_t first)
    : thread_([&rig, interval, first](const std::stop_token& stop) {
        auto next = std::chrono::steady_clock::now();
        for (std::uint32_t number = first; !stop.stop_requested(); ++number) {
          if (rig.Push(number) != GST_FLOW_OK) return;
          next += interval;
          std::this_thread::sleep_until(next);
        }
      }) {}

Source::~Source() = default;

std::string Node(const std::string& class_type, const std::string& inputs) {
  return class_type + "|" + inputs;
}

std::string Invert() { return Node("ImageInvert", ""); }

std::string PromptOf(const std::vector<std::string>& nodes) {
  std::string prompt = R"({"1":{"class_type":"LoadTensor","inputs":{}})";
  int id = 1;
  for (const std::string& node : nodes) {
    const auto at = node.find('|');
    const std::string inputs = node.substr(at + 1);
    prompt += ",\"" + std::to_string(id + 1) + R"(":{"class_type":")" + node.substr(0, at) +
              R"(","inputs":{"image":[")" + std::to_string(id) + "\",0]" +
              (inputs.empty() ? "" : "," + inputs) + "}}";
    ++id;
  }
  return prompt + ",\"" + std::to_string(id + 1) +
         R"(":{"class_type":"SaveTensor","inputs":{"images":[")" + std::to_string(id) + "\",0]}}}";
}

bool IsSharedWithWorker(const void* address) {
  std::ifstream maps("/proc/self/maps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:framelock-frames") == std::string::npos) continue;
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> first >> dash >> last;
    if (wanted >= first && wanted < last) return true;
  }
  return false;
}

Resources ResourcesNow() {
  const auto count = [](const char* folder) {
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) {
      ++entries;
    }
    return entries;
  };
  Resources now{.fds = count("/proc/self/fd"), .threads = count("/proc/self/task")};
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:framelock") != std::string::npos) ++now.regions;
  }
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (int pid = 0; children >> pid;) ++now.children;
  }
  return now;
}

std::ostream& operator<<(std::ostream& stream, const Resources& r) {
  return stream << r.fds << " fds, " << r.threads << " threads, " << r.children << " children, "
                << r.regions << " regions";
}

}  // namespace framelock::plugins
