// SPDX-License-Identifier: Apache-2.0
// The properties of workerfilter: what can be set, and in which state.
#include <array>
#include <utility>

#include "plugins/option_property.h"
#include "plugins/worker_filter_policies.h"
#include "plugins/worker_filter_state.h"
#include "plugins/worker_filter_texts.h"

GST_DEBUG_CATEGORY_EXTERN(framelock_worker_filter_debug);
#define GST_CAT_DEFAULT framelock_worker_filter_debug

namespace framelock::plugins {

namespace {

enum : guint {
  PROP_0,
  PROP_PROMPT,
  PROP_PROMPT_FILE,
  PROP_WORKER_COMMAND,
  PROP_LENT,
  PROP_WORKER_FD,
  PROP_MAX_IN_FLIGHT,
  PROP_STALL_TIMEOUT,
  PROP_MAX_WAIT,
  PROP_PROMPT_TIMEOUT,
  PROP_UPSTREAM_MARGIN,
  PROP_DOWNSTREAM_MARGIN,
  PROP_PLACES,
  PROP_LATENCY,
  PROP_MAX_TEXT_BYTES,
  PROP_STATS,
  PROP_POLICY,                           // the first of kPolicyProperties
  PROP_WATCH = PROP_POLICY + kPolicies,  // the first of kWatchProperties
};

using WatchOptions = host::ProgressWatch::Options;
using WatchProperty = OptionProperty<WatchOptions>;
constexpr std::array kWatchProperties{
    WatchProperty{"heartbeat-timeout", "Heartbeat timeout",
                  "How long the worker's heartbeat may stand still before it is replaced; it beats "
                  "each 100 ms whatever the graph does, unless the process is stopped (ms)",
                  &WatchOptions::heartbeat_timeout, 200},
    WatchProperty{"first-frame-timeout", "First frame timeout",
                  "How long each of the first five frames of a worker, prompt or format may take "
                  "at least before the worker is replaced though its heart beats; frame-timeout "
                  "and its factor count if that is more (ms)",
                  &WatchOptions::first_frame_timeout, 1},
    WatchProperty{"frame-timeout", "Frame timeout",
                  "How long each later frame may take, or frame-timeout-factor times the 95th "
                  "percentile of the last service times if that is more (ms)",
                  &WatchOptions::frame_timeout, 1},
    WatchProperty{"frame-timeout-factor", "Frame timeout factor",
                  "Multiple of the 95th percentile of service times that a frame may take",
                  &WatchOptions::frame_timeout_factor, 1},
    WatchProperty{"load-timeout", "Load timeout",
                  "How long the worker may take to answer a greeting, a prompt or a new format, "
                  "since it may load models (ms)",
                  &WatchOptions::load_timeout, 1}};

constexpr guint kMaxMilliseconds = 24u * 60 * 60 * 1000;
constexpr guint kMaxPlaces = 256;
constexpr guint kMaxMargin = 12;  // so that 16 in flight and margins stay within the slot bound

std::string TextOf(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text == nullptr ? "" : text;
}

guint Milliseconds(std::chrono::nanoseconds time) {
  return static_cast<guint>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

void Lend(FramelockWorkerFilter* self, int fd) {
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

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  auto* self = FRAMELOCK_WORKER_FILTER(object);
  if (id == PROP_WORKER_FD) {
    Lend(self, g_value_get_int(value));
    return;
  }
  const std::lock_guard lock(self->state->mutex);
  WorkerFilterSettings& settings = self->state->settings;
  if (id >= PROP_WATCH) return SetOption(settings.watch, kWatchProperties[id - PROP_WATCH], value);
  if (id >= PROP_POLICY) return SetPolicy(settings.line, id - PROP_POLICY, value);
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
    case PROP_PLACES:
      settings.line.max_places = g_value_get_uint(value);
      break;
    case PROP_LATENCY:
      settings.latency = std::chrono::milliseconds(g_value_get_uint(value));
      break;
    case PROP_MAX_TEXT_BYTES:
      settings.max_text_bytes = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const auto* self = FRAMELOCK_WORKER_FILTER(object);
  if (id == PROP_STATS) {
    g_value_take_boxed(value, StatsStructure(self->state->Stats()));
    return;
  }
  const std::lock_guard lock(self->state->mutex);
  const WorkerFilterSettings& settings = self->state->settings;
  if (id >= PROP_WATCH) return GetOption(settings.watch, kWatchProperties[id - PROP_WATCH], value);
  if (id >= PROP_POLICY) return GetPolicy(settings.line, id - PROP_POLICY, value);
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
    case PROP_PLACES:
      g_value_set_uint(value, static_cast<guint>(settings.line.max_places));
      break;
    case PROP_LATENCY:
      g_value_set_uint(value, Milliseconds(settings.latency));
      break;
    case PROP_MAX_TEXT_BYTES:
      g_value_set_uint(value, static_cast<guint>(settings.max_text_bytes));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

constexpr auto kSettingFlags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

void InstallWorker(GObjectClass* klass) {
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
      g_param_spec_boxed("stats", "Statistics", kWorkerFilterStats, GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

void InstallLimits(GObjectClass* klass) {
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
  number(PROP_PLACES, "places", "Places",
         "Most frames that cadence=every keeps in order while the first one waits for its result; "
         "one more, and it leaves without",
         1, kMaxPlaces, static_cast<guint>(defaults.line.max_places));
  number(PROP_LATENCY, "latency", "Latency",
         "Time from a frame's arrival, by the input's own clock, to its publication, and latency "
         "to report (ms); a frame that is finished makes way for the next one that is. 0: the "
         "least that evens out the worker's noise, and to report what 95 % of the last frames "
         "took, rounded up to 10 ms, never shrinking. cadence=as-ready only reports it",
         0, kMaxMilliseconds, Milliseconds(defaults.latency));
  number(PROP_MAX_TEXT_BYTES, "max-text-bytes", "Longest text",
         "Most bytes of one text that the graph makes of a frame; a longer one is dropped", 1,
         static_cast<guint>(protocol::kMaxFrameTextBytes),
         static_cast<guint>(defaults.max_text_bytes));
}

}  // namespace

void InstallWorkerFilterProperties(GObjectClass* klass) {
  klass->set_property = set_property;
  klass->get_property = get_property;
  InstallWorker(klass);
  InstallPolicies(klass, PROP_POLICY, WorkerFilterSettings().line);
  InstallLimits(klass);
  InstallOptionProperties<WatchOptions>(klass, kWatchProperties, PROP_WATCH);
}

}  // namespace framelock::plugins
