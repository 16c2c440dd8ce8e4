// SPDX-License-Identifier: Apache-2.0
#include "examples/channel_elements.h"

#include <filesystem>
#include <memory>

namespace framelock::demo {

namespace {

struct Scheme {
  const char* prefix;
  const char* source;
  const char* sink;
};

constexpr Scheme kSchemes[] = {{"http://", "tricklesrc", "tricklesink"},
                               {"https://", "tricklesrc", "tricklesink"},
                               {"ws://", "websocketsrc", "websocketsink"},
                               {"wss://", "websocketsrc", "websocketsink"},
                               {"file://", "filesrc", "filesink"}};

Result<GstElement*> Make(const char* factory, const std::string& url) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) {
    return Error{ErrorCode::kNotFound, std::string("no GStreamer element ") + factory};
  }
  const std::string file = "file://";
  const std::string location = url.starts_with(file) ? url.substr(file.size()) : url;
  g_object_set(element, "location", location.c_str(), nullptr);
  return element;
}

Result<const Scheme*> FindScheme(const std::string& url) {
  for (const Scheme& scheme : kSchemes) {
    if (url.starts_with(scheme.prefix)) return &scheme;
  }
  return Error{ErrorCode::kInvalidArgument,
               url + ": must begin with http(s)://, ws(s):// or file://"};
}

Error FromMessage(GstMessage* message) {
  GError* error = nullptr;
  gchar* detail = nullptr;
  gst_message_parse_error(message, &error, &detail);
  Error result{ErrorCode::kInternal, error->message};
  if (detail != nullptr) result.message += std::string(" (") + detail + ")";
  g_error_free(error);
  g_free(detail);
  return result;
}

}  // namespace

Status InitGStreamer() {
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == 0) {
    Error failure{ErrorCode::kInternal, std::string("GStreamer does not start: ") + error->message};
    g_error_free(error);
    return failure;
  }
  GstElementFactory* known = gst_element_factory_find("tricklesrc");
  if (known != nullptr) {
    gst_object_unref(known);
    return {};
  }
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto plugin =
      program.parent_path().parent_path() / "lib" / "gstreamer-1.0" / "libgstframelock.so";
  if (!std::filesystem::exists(plugin, ignored)) return {};
  GstPlugin* loaded = gst_plugin_load_file(plugin.c_str(), &error);
  if (loaded == nullptr) {
    Error failure{ErrorCode::kInternal, plugin.string() + ": " + error->message};
    g_error_free(error);
    return failure;
  }
  gst_object_unref(loaded);
  return {};
}

Result<GstElement*> MakeChannelSource(const std::string& url) {
  const Result<const Scheme*> scheme = FindScheme(url);
  if (!scheme) return scheme.error();
  return Make((*scheme)->source, url);
}

Result<GstElement*> MakeChannelSink(const std::string& url) {
  const Result<const Scheme*> scheme = FindScheme(url);
  if (!scheme) return scheme.error();
  Result<GstElement*> sink = Make((*scheme)->sink, url);
  if (sink) g_object_set(*sink, "sync", FALSE, nullptr);
  return sink;
}

Result<GstElement*> MakeChain(const std::string& description) {
  GError* error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(description.c_str(), TRUE, &error);
  if (bin == nullptr || error != nullptr) {
    Error failure{ErrorCode::kInternal, error != nullptr ? error->message : description};
    g_clear_error(&error);
    if (bin != nullptr) gst_object_unref(bin);
    return failure;
  }
  return bin;
}

Status CheckBus(GstBus* bus) {
  constexpr auto kWanted = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  const std::unique_ptr<GstMessage, void (*)(GstMessage*)> message(
      gst_bus_pop_filtered(bus, kWanted), [](GstMessage* m) {
        if (m != nullptr) gst_message_unref(m);
      });
  if (!message) return {};
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) return FromMessage(message.get());
  return Error{ErrorCode::kClosed, "end of stream"};
}

}  // namespace framelock::demo
