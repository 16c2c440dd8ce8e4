// SPDX-License-Identifier: Apache-2.0
#include "plugins/worker_filter.h"

#include <gst/video/video.h>

#include <utility>

#include "plugins/worker_filter_state.h"

GST_DEBUG_CATEGORY(framelock_worker_filter_debug);
#define GST_CAT_DEFAULT framelock_worker_filter_debug

namespace plugins = framelock::plugins;
namespace host = framelock::host;
using framelock::FullPolicy;
using framelock::PacketSocket;
using framelock::UniqueFd;
using plugins::FilterEngine;
using plugins::OnMissing;
using plugins::WorkerFilterSettings;
using plugins::WorkerFilterState;

namespace {

constexpr char kDefaultPrompt[] = R"({"1":{"class_type":"LoadTensor","inputs":{}},)"
                                  R"("2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},)"
                                  R"("3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}})";

enum : guint {
  PROP_0,
  PROP_PROMPT,
  PROP_PROMPT_FILE,
  PROP_WORKER_COMMAND,
  PROP_LENT,
  PROP_WORKER_FD,
  PROP_MAX_IN_FLIGHT,
  PROP_FULL_POLICY,
  PROP_ON_MISSING,
  PROP_STALL_TIMEOUT,
  PROP_MAX_WAIT,
  PROP_PROMPT_TIMEOUT,
  PROP_UPSTREAM_MARGIN,
  PROP_DOWNSTREAM_MARGIN,
  PROP_LATENCY,
  PROP_STATS,
};

constexpr guint kMaxMilliseconds = 24u * 60 * 60 * 1000;
constexpr guint kMaxMargin = 12;  // so that 16 in flight and margins stay within the slot bound

GType FullPolicyType() {
  static const GEnumValue values[] = {
      {static_cast<gint>(FullPolicy::kBlock), "Upstream waits (for files)", "block"},
      {static_cast<gint>(FullPolicy::kDropOldest),
       "The oldest frame not yet submitted is skipped and counted", "skip-oldest"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("FramelockFullPolicy", values);
  return type;
}

GType OnMissingType() {
  static const GEnumValue values[] = {
      {static_cast<gint>(OnMissing::kPassthrough), "The source frame itself", "passthrough"},
      {static_cast<gint>(OnMissing::kRepeat), "The last good frame under the frame's own time",
       "repeat"},
      {static_cast<gint>(OnMissing::kGap), "Nothing", "gap"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("FramelockOnMissing", values);
  return type;
}

std::string TextOf(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text == nullptr ? "" : text;
}

guint Milliseconds(std::chrono::nanoseconds time) {
  return static_cast<guint>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

G_DEFINE_TYPE(FramelockWorkerFilter, framelock_worker_filter, GST_TYPE_ELEMENT)

static GstStructure* framelock_worker_filter_set_prompt(FramelockWorkerFilter* self,
                                                        const gchar* prompt) {
  FilterEngine::PromptAnswer answer{FilterEngine::PromptAnswer::Kind::kStopped, 0,
                                    FilterEngine::kStoppedErrors};
  if (const auto engine = self->state->Running()) {
    answer = engine->SetPrompt(prompt == nullptr ? "" : prompt);
  }
  return plugins::PromptStructure(answer);
}

static void framelock_worker_filter_lend(FramelockWorkerFilter* self, int fd) {
  auto socket = PacketSocket::Adopt(UniqueFd(fd));
  if (!socket) {
    GST_WARNING_OBJECT(self, "worker-fd: %s", socket.error().message.c_str());
    return;
  }
  const std::lock_guard lock(self->state->mutex);
  if (self->state->engine) {
    self->state->engine->Lend(std::move(*socket));
  } else {
    self->state->lent = std::move(*socket);
  }
}

static void framelock_worker_filter_set_property(GObject* object, guint id, const GValue* value,
                                                 GParamSpec* spec) {
  auto* self = FRAMELOCK_WORKER_FILTER(object);
  if (id == PROP_WORKER_FD) {
    framelock_worker_filter_lend(self, g_value_get_int(value));
    return;
  }
  const std::lock_guard lock(self->state->mutex);
  WorkerFilterSettings& settings = self->state->settings;
  using Source = WorkerFilterSettings::Source;
  switch (id) {
    case PROP_PROMPT:
      settings.prompt = TextOf(value);
      break;
    case PROP_PROMPT_FILE:
      settings.prompt_file = TextOf(value);
      break;
    case PROP_WORKER_COMMAND:
      settings.worker_command = TextOf(value);
      break;
    case PROP_LENT:
      settings.source = g_value_get_boolean(value) ? Source::kLent : Source::kOwn;
      break;
    case PROP_MAX_IN_FLIGHT:
      settings.line.max_in_flight = g_value_get_uint(value);
      break;
    case PROP_FULL_POLICY:
      settings.line.full_policy = static_cast<FullPolicy>(g_value_get_enum(value));
      break;
    case PROP_ON_MISSING:
      settings.line.on_missing = static_cast<OnMissing>(g_value_get_enum(value));
      break;
    case PROP_STALL_TIMEOUT:
      settings.line.stall_timeout = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    case PROP_MAX_WAIT:
      settings.line.max_wait = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    case PROP_PROMPT_TIMEOUT:
      settings.prompt_timeout = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    case PROP_UPSTREAM_MARGIN:
      settings.upstream_margin = g_value_get_uint(value);
      break;
    case PROP_DOWNSTREAM_MARGIN:
      settings.downstream_margin = g_value_get_uint(value);
      break;
    case PROP_LATENCY:
      settings.latency = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

static void framelock_worker_filter_get_property(GObject* object, guint id, GValue* value,
                                                 GParamSpec* spec) {
  const auto* self = FRAMELOCK_WORKER_FILTER(object);
  if (id == PROP_STATS) {
    g_value_take_boxed(value, plugins::StatsStructure(self->state->Stats()));
    return;
  }
  const std::lock_guard lock(self->state->mutex);
  const WorkerFilterSettings& settings = self->state->settings;
  switch (id) {
    case PROP_PROMPT: {
      const auto& engine = self->state->engine;
      g_value_set_string(value, engine ? engine->prompt().c_str() : settings.prompt.c_str());
      break;
    }
    case PROP_PROMPT_FILE:
      g_value_set_string(value, settings.prompt_file.c_str());
      break;
    case PROP_WORKER_COMMAND:
      g_value_set_string(value, settings.worker_command.c_str());
      break;
    case PROP_LENT:
      g_value_set_boolean(value, settings.source == WorkerFilterSettings::Source::kLent);
      break;
    case PROP_MAX_IN_FLIGHT:
      g_value_set_uint(value, static_cast<guint>(settings.line.max_in_flight));
      break;
    case PROP_FULL_POLICY:
      g_value_set_enum(value, static_cast<gint>(settings.line.full_policy));
      break;
    case PROP_ON_MISSING:
      g_value_set_enum(value, static_cast<gint>(settings.line.on_missing));
      break;
    case PROP_STALL_TIMEOUT:
      g_value_set_uint(value, Milliseconds(settings.line.stall_timeout));
      break;
    case PROP_MAX_WAIT:
      g_value_set_uint(value, Milliseconds(settings.line.max_wait));
      break;
    case PROP_PROMPT_TIMEOUT:
      g_value_set_uint(value, Milliseconds(settings.prompt_timeout));
      break;
    case PROP_UPSTREAM_MARGIN:
      g_value_set_uint(value, static_cast<guint>(settings.upstream_margin));
      break;
    case PROP_DOWNSTREAM_MARGIN:
      g_value_set_uint(value, static_cast<guint>(settings.downstream_margin));
      break;
    case PROP_LATENCY:
      g_value_set_uint(value, Milliseconds(settings.latency));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

// The prompt to start with: given as text, by file, or the default one; empty: it cannot be read,
// and the error is posted.
static std::string framelock_worker_filter_load_prompt(FramelockWorkerFilter* self,
                                                       const WorkerFilterSettings& settings) {
  if (!settings.prompt.empty()) return settings.prompt;
  if (settings.prompt_file.empty()) return kDefaultPrompt;
  gchar* text = nullptr;
  gsize bytes = 0;
  GError* error = nullptr;
  if (!g_file_get_contents(settings.prompt_file.c_str(), &text, &bytes, &error)) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ,
                      ("the prompt file cannot be read: %s", error->message), (nullptr));
    g_error_free(error);
    return {};
  }
  std::string prompt(text, bytes);
  g_free(text);
  if (prompt.empty() || bytes > framelock::protocol::kMaxTextBytes) {
    GST_ELEMENT_ERROR(self, RESOURCE, READ,
                      ("the prompt file is empty or too large: %s has %" G_GSIZE_FORMAT " bytes",
                       settings.prompt_file.c_str(), bytes),
                      (nullptr));
    return {};
  }
  return prompt;
}

static gboolean framelock_worker_filter_choose_worker(FramelockWorkerFilter* self,
                                                      const WorkerFilterSettings& settings,
                                                      host::WorkerSeat::Options& worker) {
  // A tag instead of the element: the line may come while the element is going away.
  worker.on_stderr_line = [](const std::string& line) { GST_INFO("worker: %s", line.c_str()); };
  if (settings.source == WorkerFilterSettings::Source::kLent) return TRUE;
  if (settings.worker_command.empty()) {
    worker.command = host::DefaultWorkerCommand();
    // The pad's task starts it, and lives until the worker is taken down. A worker of another make
    // ($FRAMELOCK_WORKER) need not know the option.
    worker.command->die_with_parent_thread = g_getenv("FRAMELOCK_WORKER") == nullptr;
    return TRUE;
  }
  auto words = host::SplitCommandLine(settings.worker_command);
  if (!words) {
    GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                      ("worker-command: %s", words.error().message.c_str()), (nullptr));
    return FALSE;
  }
  worker.command = host::WorkerCommand{.argv = std::move(*words)};
  return TRUE;
}

static gboolean framelock_worker_filter_start(FramelockWorkerFilter* self) {
  WorkerFilterState& state = *self->state;
  WorkerFilterSettings settings;
  {
    const std::lock_guard lock(state.mutex);
    settings = state.settings;
  }
  FilterEngine::Options options;
  options.line = settings.line;
  options.upstream_margin = settings.upstream_margin;
  options.downstream_margin = settings.downstream_margin;
  options.prompt_timeout = settings.prompt_timeout;
  options.copy_source = plugins::CopySource;
  options.prompt = framelock_worker_filter_load_prompt(self, settings);
  if (options.prompt.empty()) return FALSE;
  if (!framelock_worker_filter_choose_worker(self, settings, options.worker)) return FALSE;
  auto engine = FilterEngine::Create(std::move(options));
  if (!engine) {
    GST_ELEMENT_ERROR(self, RESOURCE, FAILED, ("%s", engine.error().message.c_str()), (nullptr));
    return FALSE;
  }
  state.flow = GST_FLOW_OK;
  state.eos = false;
  state.reported_latency = 0;
  state.output = std::make_unique<plugins::FilterOutput>(self->srcpad, settings.line.on_missing);
  const std::lock_guard lock(state.mutex);
  state.engine = std::move(*engine);
  if (state.lent) state.engine->Lend(std::move(*state.lent));
  state.lent.reset();
  return TRUE;
}

static void framelock_worker_filter_stop(FramelockWorkerFilter* self) {
  WorkerFilterState& state = *self->state;
  std::shared_ptr<FilterEngine> ended;
  {
    const std::lock_guard lock(state.mutex);
    ended = std::move(state.engine);
    state.engine.reset();
    if (ended) {
      ended->Stop();
      state.last_stats = ended->Stats();
      // A prompt that was applied meanwhile is the one to go on with.
      if (ended->prompt_changed()) state.settings.prompt = ended->prompt();
    }
  }
  state.output.reset();
}

static GstStateChangeReturn framelock_worker_filter_change_state(GstElement* element,
                                                                 GstStateChange change) {
  auto* self = FRAMELOCK_WORKER_FILTER(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !framelock_worker_filter_start(self)) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn changed =
      GST_ELEMENT_CLASS(framelock_worker_filter_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (change == GST_STATE_CHANGE_READY_TO_PAUSED && changed == GST_STATE_CHANGE_FAILURE)) {
    framelock_worker_filter_stop(self);
  }
  return changed;
}

static void framelock_worker_filter_finalize(GObject* object) {
  delete FRAMELOCK_WORKER_FILTER(object)->state;
  G_OBJECT_CLASS(framelock_worker_filter_parent_class)->finalize(object);
}

static void framelock_worker_filter_init(FramelockWorkerFilter* self) {
  self->state = new WorkerFilterState;
  plugins::AddWorkerFilterPads(self);
}

static constexpr auto kSettingFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

static void framelock_worker_filter_install_worker_properties(GObjectClass* klass) {
  const auto text = [klass](guint id, const char* name, const char* nick, const char* blurb) {
    g_object_class_install_property(klass, id,
                                    g_param_spec_string(name, nick, blurb, nullptr, kSettingFlags));
  };
  text(PROP_PROMPT, "prompt", "Prompt",
       "The graph, as JSON in ComfyUI's API format; wins over prompt-file; neither given: the "
       "graph inverts. While running, use the set-prompt signal");
  text(PROP_PROMPT_FILE, "prompt-file", "Prompt file", "File with the prompt, read at the start");
  text(PROP_WORKER_COMMAND, "worker-command", "Worker command",
       "Command line that starts a worker, split as a shell splits words; \"--socket-fd N\" is "
       "appended. Empty: $FRAMELOCK_WORKER, or framelock-worker beside the plugin or in PATH");
  g_object_class_install_property(
      klass, PROP_LENT,
      g_param_spec_boolean("lent", "Lent",
                           "Never start a worker: each one is lent through worker-fd", FALSE,
                           kSettingFlags));
  g_object_class_install_property(
      klass, PROP_WORKER_FD,
      g_param_spec_int("worker-fd", "Worker descriptor",
                       "A worker's SOCK_SEQPACKET socket, which the element owns from now on. Set "
                       "again: the worker is replaced at once",
                       -1, G_MAXINT, -1,
                       static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "Account, queues, latencies, worker and prompt, all of one moment; "
                         "inputs = completed + skipped + failed + lost + open, pushed = completed "
                         "+ passed-through + repeated",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void framelock_worker_filter_install_policies(GObjectClass* klass) {
  const WorkerFilterSettings defaults;
  g_object_class_install_property(
      klass, PROP_FULL_POLICY,
      g_param_spec_enum("full-policy", "Full policy",
                        "What happens when a frame comes while another one waits", FullPolicyType(),
                        static_cast<gint>(defaults.line.full_policy), kSettingFlags));
  g_object_class_install_property(
      klass, PROP_ON_MISSING,
      g_param_spec_enum("on-missing", "On missing",
                        "What is published for failed and lost frames, and while no worker answers",
                        OnMissingType(), static_cast<gint>(defaults.line.on_missing),
                        kSettingFlags));
}

static void framelock_worker_filter_install_limits(GObjectClass* klass) {
  const WorkerFilterSettings defaults;
  const auto number = [klass](guint id, const char* name, const char* nick, const char* blurb,
                              guint low, guint high, guint value) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint(name, nick, blurb, low, high, value, kSettingFlags));
  };
  number(PROP_MAX_IN_FLIGHT, "max-in-flight", "Frames in flight",
         "Most frames that the worker holds at a time; one more waits", 1, 16,
         static_cast<guint>(defaults.line.max_in_flight));
  number(PROP_STALL_TIMEOUT, "stall-timeout", "Stall timeout",
         "Time without an answer after which frames are published by on-missing; at least twice "
         "the worker's median service time counts (ms)",
         1, kMaxMilliseconds, Milliseconds(defaults.line.stall_timeout));
  number(PROP_MAX_WAIT, "max-wait", "Longest wait",
         "Time after which a frame that cannot be submitted makes way for what follows it, e.g. "
         "EOS; only with full-policy=skip-oldest (ms)",
         1, kMaxMilliseconds, Milliseconds(defaults.line.max_wait));
  number(PROP_PROMPT_TIMEOUT, "prompt-timeout", "Prompt timeout",
         "Longest wait of set-prompt for the worker's answer (ms)", 1, kMaxMilliseconds,
         Milliseconds(defaults.prompt_timeout));
  number(PROP_UPSTREAM_MARGIN, "upstream-margin", "Upstream margin",
         "Shared input slots beyond those in flight and waiting; upstream fills them", 1,
         kMaxMargin, static_cast<guint>(defaults.upstream_margin));
  number(PROP_DOWNSTREAM_MARGIN, "downstream-margin", "Downstream margin",
         "Shared output slots beyond those in flight and repeated; downstream may keep so many "
         "results before they are copied",
         1, kMaxMargin, static_cast<guint>(defaults.downstream_margin));
  number(PROP_LATENCY, "latency", "Latency",
         "Latency to report (ms); 0: what 95 % of the last frames took, rounded up to 10 ms, never "
         "shrinking",
         0, kMaxMilliseconds, Milliseconds(defaults.latency));
}

static void framelock_worker_filter_class_init(FramelockWorkerFilterClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = framelock_worker_filter_set_property;
  object_class->get_property = framelock_worker_filter_get_property;
  object_class->finalize = framelock_worker_filter_finalize;
  element_class->change_state = framelock_worker_filter_change_state;
  framelock_worker_filter_install_worker_properties(object_class);
  framelock_worker_filter_install_policies(object_class);
  framelock_worker_filter_install_limits(object_class);
  // Applies a new prompt: blocks until the worker answered and the first frame of the new prompt
  // was published (or none came), so not to be called from a streaming thread. Once it returns
  // applied, no frame of an older prompt leaves the element; rejected changes nothing.
  g_signal_new_class_handler("set-prompt", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(framelock_worker_filter_set_prompt), nullptr, nullptr,
                             nullptr, GST_TYPE_STRUCTURE, 1, G_TYPE_STRING);
  GstCaps* caps = gst_caps_from_string(
      "video/x-raw, format=(string){ RGB, RGBA }, "
      "width=(int)[1,16384], height=(int)[1,16384], "
      "framerate=(fraction)[0/1,2147483647/1]");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "Worker filter", "Filter/Effect/Video",
      "Sends every frame through a graph in an isolated worker process and publishes each result "
      "under its own frame's time",
      "Framelock");
  gst_type_mark_as_plugin_api(FullPolicyType(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(OnMissingType(), static_cast<GstPluginAPIFlags>(0));
}

gboolean framelock_worker_filter_register(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(framelock_worker_filter_debug, "workerfilter", 0, "worker filter");
  return gst_element_register(plugin, "workerfilter", GST_RANK_NONE,
                              framelock_worker_filter_get_type());
}
