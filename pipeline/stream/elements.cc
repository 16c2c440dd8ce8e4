// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/elements.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

namespace {

using nlohmann::json;

Error TakeError(GError* error, const std::string& what) {
  Error result{ErrorCode::kInternal, what + ": " + error->message};
  g_error_free(error);
  return result;
}

// Debian 12's package of each element that a stream is built from.
constexpr std::pair<std::string_view, const char*> kPackages[] = {
    {"fakesink", "libgstreamer1.0-0"},
    {"queue", "libgstreamer1.0-0"},
    {"appsrc", "gstreamer1.0-plugins-base"},
    {"audioconvert", "gstreamer1.0-plugins-base"},
    {"audioresample", "gstreamer1.0-plugins-base"},
    {"opusenc", "gstreamer1.0-plugins-base"},
    {"opusdec", "gstreamer1.0-plugins-base"},
    {"avdec_aac", "gstreamer1.0-libav"},
    {"avdec_ac3", "gstreamer1.0-libav"},
    {"avdec_mp3float", "gstreamer1.0-libav"},
    {"dcaparse", "gstreamer1.0-plugins-good"},
    {"avdec_aac_latm", "gstreamer1.0-libav"},
    {"avdec_dca", "gstreamer1.0-libav"},
    {"avdec_eac3", "gstreamer1.0-libav"},
    {"aacparse", "gstreamer1.0-plugins-good"},
    {"ac3parse", "gstreamer1.0-plugins-good"},
    {"mpegaudioparse", "gstreamer1.0-plugins-good"},
    {"errorignore", "gstreamer1.0-plugins-bad"},
    {"opusparse", "gstreamer1.0-plugins-bad"},
    {"decodebin", "gstreamer1.0-plugins-base"},
    {"videoconvertscale", "gstreamer1.0-plugins-base"},
    {"aspectratiocrop", "gstreamer1.0-plugins-good"},
    {"videocrop", "gstreamer1.0-plugins-good"},
    {"h264parse", "gstreamer1.0-plugins-bad"},
    {"mpegtsmux", "gstreamer1.0-plugins-bad"},
    {"tsdemux", "gstreamer1.0-plugins-bad"},
    {"x264enc", "gstreamer1.0-plugins-ugly"},
    {"openh264enc", "gstreamer1.0-plugins-bad"},
    {"avdec_h264", "gstreamer1.0-libav"}};

Error Missing(const std::string& factory) {
  const auto known = std::find_if(std::begin(kPackages), std::end(kPackages),
                                  [&](const auto& entry) { return entry.first == factory; });
  const std::string where =
      known != std::end(kPackages)
          ? std::string("install Debian's package ") + known->second
          : "it comes with Framelock's own plugin, libgstframelock.so (GST_PLUGIN_PATH or "
            "--plugin-path)";
  return Error{ErrorCode::kNotFound, "GStreamer has no element " + factory + ": " + where};
}

bool IsWebSocket(const std::string& url) {
  return url.starts_with("ws://") || url.starts_with("wss://");
}

Result<GstElement*> MakeAt(const char* factory, const std::string& url) {
  Result<GstElement*> element = MakeElement(factory);
  if (element) g_object_set(*element, "location", url.c_str(), nullptr);
  return element;
}

json ToJson(const GValue* value) {
  switch (G_VALUE_TYPE(value)) {
    case G_TYPE_BOOLEAN:
      return g_value_get_boolean(value) != 0;
    case G_TYPE_INT:
      return g_value_get_int(value);
    case G_TYPE_UINT:
      return g_value_get_uint(value);
    case G_TYPE_INT64:
      return g_value_get_int64(value);
    case G_TYPE_UINT64:
      return g_value_get_uint64(value);
    case G_TYPE_DOUBLE:
      return g_value_get_double(value);
    case G_TYPE_STRING: {
      const gchar* text = g_value_get_string(value);
      return text == nullptr ? "" : text;
    }
    default:
      return {};
  }
}

gboolean AddField(GQuark field, const GValue* value, gpointer object) {
  std::string name = g_quark_to_string(field);
  std::replace(name.begin(), name.end(), '-', '_');
  json converted = ToJson(value);
  if (!converted.is_null()) (*static_cast<json*>(object))[name] = std::move(converted);
  return TRUE;
}

}  // namespace

Status InitGStreamer(const std::optional<std::filesystem::path>& plugin_dir) {
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == 0) return TakeError(error, "GStreamer");
  if (!plugin_dir) {
    const ElementPtr known(gst_element_factory_make("workerfilter", nullptr));
    if (known) return {};
  }
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  const auto plugin =
      plugin_dir.value_or(program.parent_path().parent_path() / "lib" / "gstreamer-1.0") /
      "libgstframelock.so";
  GstPlugin* loaded = gst_plugin_load_file(plugin.c_str(), &error);
  if (loaded == nullptr) return TakeError(error, "plugin " + plugin.string());
  gst_object_unref(loaded);
  return {};
}

void LoadLibraries() {
  for (const char* factory :
       {"tricklesrc", "tsdemux", "capssetter", "h264parse", "avdec_h264", "aspectratiocrop",
        "videocrop", "videoconvertscale", "x264enc", "mpegtsmux"}) {
    // One that is missing is told by the stream that needs it.
    if (GstElement* element = gst_element_factory_make(factory, nullptr)) {
      const ElementPtr unused(GST_ELEMENT(gst_object_ref_sink(element)));
    }
  }
}

Result<GstElement*> MakeElement(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element != nullptr) return element;
  return Missing(factory);
}

Status AddTo(GstBin* bin, GstElement* element) {
  const std::string name = GST_OBJECT_NAME(element);
  if (gst_bin_add(bin, element) != 0) return {};
  return Error{ErrorCode::kInternal, "element " + name + ": its name is taken"};
}

Result<GstElement*> AddElement(GstBin* bin, const char* factory) {
  Result<GstElement*> element = MakeElement(factory);
  if (!element) return element;
  if (const Status added = AddTo(bin, *element); !added) return added.error();
  return element;
}

Result<GstElement*> MakeSource(const std::string& url) {
  return MakeAt(IsWebSocket(url) ? "websocketsrc" : "tricklesrc", url);
}

Result<GstElement*> MakeSink(const std::string& url) {
  Result<GstElement*> sink = MakeAt(IsWebSocket(url) ? "websocketsink" : "tricklesink", url);
  if (sink) g_object_set(*sink, "sync", FALSE, nullptr);
  return sink;
}

Result<GstElement*> MakeChain(const std::string& description) {
  GError* error = nullptr;
  GstParseContext* context = gst_parse_context_new();
  GstElement* bin = gst_parse_bin_from_description_full(description.c_str(), TRUE, context,
                                                        GST_PARSE_FLAG_NONE, &error);
  gchar** missing = gst_parse_context_get_missing_elements(context);
  gst_parse_context_free(context);
  const std::optional<Error> absent =
      missing != nullptr && g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT)
          ? std::optional(Missing(missing[0]))
          : std::nullopt;
  g_strfreev(missing);
  if (error == nullptr) return bin;
  if (bin != nullptr) gst_object_unref(bin);
  Error failure = TakeError(error, "elements " + description);
  return absent.value_or(std::move(failure));
}

Result<GstElement*> MakeRow(const std::vector<Result<GstElement*>>& elements) {
  GstElement* row = gst_bin_new(nullptr);
  std::optional<Error> failure;
  GstElement* last = nullptr;
  for (const Result<GstElement*>& element : elements) {
    if (!element) {
      failure = failure.value_or(element.error());
      continue;
    }
    gst_bin_add(GST_BIN(row), *element);
    if (last != nullptr && !failure && gst_element_link(last, *element) == 0) {
      failure = Error{ErrorCode::kInternal, "elements of a row do not link"};
    }
    last = *element;
  }
  if (failure) {
    const ElementPtr unused(GST_ELEMENT(gst_object_ref_sink(row)));
    return *failure;
  }
  const PadPtr entry(gst_element_get_static_pad(*elements.front(), "sink"));
  const PadPtr exit(gst_element_get_static_pad(last, "src"));
  gst_element_add_pad(row, gst_ghost_pad_new("sink", entry.get()));
  gst_element_add_pad(row, gst_ghost_pad_new("src", exit.get()));
  return row;
}

json ReadStats(GstElement* element) {
  json object = json::object();
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "stats") == nullptr) return object;
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  const StructurePtr owner(stats);
  return stats == nullptr ? object : ToJson(stats);
}

json ToJson(const GstStructure* structure) {
  json object = json::object();
  gst_structure_foreach(structure, &AddField, &object);
  return object;
}

}  // namespace framelock::stream
