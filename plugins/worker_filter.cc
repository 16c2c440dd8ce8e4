// SPDX-License-Identifier: Apache-2.0
#include "plugins/worker_filter.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <utility>

#include "plugins/worker_filter_state.h"
#include "plugins/worker_filter_texts.h"
#include "workers/host/default_prompt.h"

GST_DEBUG_CATEGORY(framelock_worker_filter_debug);
#define GST_CAT_DEFAULT framelock_worker_filter_debug

namespace plugins = framelock::plugins;
namespace host = framelock::host;
using plugins::FilterEngine;
using plugins::WorkerFilterSettings;
using plugins::WorkerFilterState;

G_DEFINE_TYPE(FramelockWorkerFilter, framelock_worker_filter, GST_TYPE_ELEMENT)

static GstStructure* framelock_worker_filter_offer(FramelockWorkerFilter* self,
                                                   plugins::PromptOffer offer) {
  plugins::PromptAnswer answer{plugins::PromptAnswer::Kind::kStopped, 0, plugins::kStoppedErrors};
  if (const auto engine = self->state->Running()) answer = engine->SetPrompt(std::move(offer));
  return plugins::PromptStructure(answer);
}

static GstStructure* framelock_worker_filter_set_prompt(FramelockWorkerFilter* self,
                                                        const gchar* prompt) {
  return framelock_worker_filter_offer(self, {.text = prompt == nullptr ? "" : prompt});
}

static GstStructure* framelock_worker_filter_update(FramelockWorkerFilter* self,
                                                    const GstStructure* what) {
  auto offer = plugins::ReadOffer(what);
  if (offer) return framelock_worker_filter_offer(self, std::move(*offer));
  GST_WARNING_OBJECT(self, "update: %s", offer.error().message.c_str());
  return plugins::PromptStructure({plugins::PromptAnswer::Kind::kRejected, 0,
                                   plugins::InvalidUpdateErrors(offer.error().message)});
}

static GstStructure* framelock_worker_filter_switch_worker(FramelockWorkerFilter* self, gint fd,
                                                           guint width, guint height) {
  plugins::PromptAnswer answer{plugins::PromptAnswer::Kind::kStopped, 0, plugins::kStoppedErrors};
  auto socket = framelock::PacketSocket::Adopt(framelock::UniqueFd(fd));
  std::optional<plugins::FrameSize> size;
  if (width != 0 || height != 0) size = plugins::FrameSize{width, height};
  if (!socket) {
    answer = {plugins::PromptAnswer::Kind::kRejected, 0, socket.error().message};
  } else if (size && !plugins::IsFrameSize(*size)) {
    answer = {plugins::PromptAnswer::Kind::kRejected, 0, plugins::kBadFrameSize};
  } else if (const auto engine = self->state->Running()) {
    answer = engine->Switch(std::move(*socket), size);
  }
  return plugins::PromptStructure(answer);
}

// The prompt to start with: given as text, by file, or the default one; empty: it cannot be read,
// and the error is posted.
static std::string framelock_worker_filter_load_prompt(FramelockWorkerFilter* self,
                                                       const WorkerFilterSettings& settings) {
  if (!settings.prompt.empty()) return settings.prompt;
  if (settings.prompt_file.empty()) return host::kDefaultPrompt;
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
  if (settings.latency.count() > 0) options.line.latency = settings.latency;
  options.upstream_margin = settings.upstream_margin;
  options.downstream_margin = settings.downstream_margin;
  options.prompt_timeout = settings.prompt_timeout;
  options.max_text_bytes = settings.max_text_bytes;
  options.worker.watch = settings.watch;
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
  state.eos = state.failed = state.finished = false;
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
      state.last_stats = ended->Close();
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

static GstPad* framelock_worker_filter_request_pad(GstElement* element, GstPadTemplate* pad,
                                                   const gchar*, const GstCaps*) {
  return plugins::RequestWorkerFilterAudio(FRAMELOCK_WORKER_FILTER(element), pad);
}

static void framelock_worker_filter_release_pad(GstElement* element, GstPad* pad) {
  plugins::ReleaseWorkerFilterAudio(FRAMELOCK_WORKER_FILTER(element), pad);
}

static void framelock_worker_filter_finalize(GObject* object) {
  delete FRAMELOCK_WORKER_FILTER(object)->state;
  G_OBJECT_CLASS(framelock_worker_filter_parent_class)->finalize(object);
}

static void framelock_worker_filter_init(FramelockWorkerFilter* self) {
  self->state = new WorkerFilterState;
  plugins::AddWorkerFilterPads(self);
}

static void framelock_worker_filter_class_init(FramelockWorkerFilterClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->finalize = framelock_worker_filter_finalize;
  element_class->change_state = framelock_worker_filter_change_state;
  plugins::InstallWorkerFilterProperties(object_class);
  // Applies a new prompt: blocks until the worker answered and the first frame of the new prompt
  // was published (or none came), so not to be called from a streaming thread. Once it returns
  // applied, no frame of an older prompt leaves the element; rejected changes nothing.
  g_signal_new_class_handler("set-prompt", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(framelock_worker_filter_set_prompt), nullptr, nullptr,
                             nullptr, GST_TYPE_STRUCTURE, 1, G_TYPE_STRING);
  // The same with more than the prompt, in a structure.
  g_signal_new_class_handler("update", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(framelock_worker_filter_update), nullptr, nullptr, nullptr,
                             GST_TYPE_STRUCTURE, 1, GST_TYPE_STRUCTURE);
  // The same with a lent worker, which brings its prompt, in the place of the one at work.
  g_signal_new_class_handler("switch-worker", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(framelock_worker_filter_switch_worker), nullptr, nullptr,
                             nullptr, GST_TYPE_STRUCTURE, 3, G_TYPE_INT, G_TYPE_UINT, G_TYPE_UINT);
  // What the graph said of a frame: its number, its pts (GST_CLOCK_TIME_NONE: it has none), the
  // text. Emitted by the source pad's thread right before the frame's result goes downstream.
  g_signal_new("text", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
               G_TYPE_NONE, 3, G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_STRING);
  GstCaps* caps = gst_caps_from_string(
      "video/x-raw, format=(string){ RGB, RGBA }, "
      "width=(int)[1,16384], height=(int)[1,16384], "
      "framerate=(fraction)[0/1,2147483647/1]");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  GstCaps* audio = gst_caps_from_string("audio/x-raw, format=" GST_AUDIO_NE(
      S16) ", "
           "layout=interleaved, channels=1, rate=(int)[8000,192000]");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("audio_sink", GST_PAD_SINK, GST_PAD_REQUEST, audio));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("audio_src", GST_PAD_SRC, GST_PAD_SOMETIMES, audio));
  gst_caps_unref(audio);
  element_class->request_new_pad = framelock_worker_filter_request_pad;
  element_class->release_pad = framelock_worker_filter_release_pad;
  gst_element_class_set_static_metadata(element_class, "Worker filter", "Filter/Effect/Video",
                                        plugins::kWorkerFilterDescription, "Framelock");
}

gboolean framelock_worker_filter_register(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(framelock_worker_filter_debug, "workerfilter", 0, "worker filter");
  return gst_element_register(plugin, "workerfilter", GST_RANK_NONE,
                              framelock_worker_filter_get_type());
}
