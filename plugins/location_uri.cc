// SPDX-License-Identifier: Apache-2.0
#include "plugins/location_uri.h"

#include <array>

namespace framelock::plugins {
namespace {

GstURIType SourceType(GType /*type*/) { return GST_URI_SRC; }
GstURIType SinkType(GType /*type*/) { return GST_URI_SINK; }

const gchar* const* TrickleProtocols(GType /*type*/) {
  static const std::array<const gchar*, 3> protocols = {"trickle", "trickles", nullptr};
  return protocols.data();
}

const gchar* const* WebSocketProtocols(GType /*type*/) {
  static const std::array<const gchar*, 3> protocols = {"ws", "wss", nullptr};
  return protocols.data();
}

gchar* GetUri(GstURIHandler* handler) {
  gchar* location = nullptr;
  g_object_get(handler, "location", &location, nullptr);
  if (location == nullptr) return nullptr;
  gchar* uri = g_strdup(TrickleUriFromHttp(location).c_str());
  g_free(location);
  return uri;
}

gboolean SetUri(GstURIHandler* handler, const gchar* uri, GError** error) {
  const GstState state = GST_STATE(handler);
  if (state == GST_STATE_PLAYING || state == GST_STATE_PAUSED) {
    g_set_error_literal(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                        "the location cannot be changed while the element runs");
    return FALSE;
  }
  g_object_set(handler, "location", uri, nullptr);
  return TRUE;
}

template <GstURIType (*Type)(GType), const gchar* const* (*Protocols)(GType)>
void AddUriHandler(GType type) {
  const GInterfaceInfo info = {[](gpointer iface, gpointer) {
                                 auto* handler = static_cast<GstURIHandlerInterface*>(iface);
                                 handler->get_type = Type;
                                 handler->get_protocols = Protocols;
                                 handler->get_uri = GetUri;
                                 handler->set_uri = SetUri;
                               },
                               nullptr, nullptr};
  g_type_add_interface_static(type, GST_TYPE_URI_HANDLER, &info);
}

std::string ReplaceScheme(std::string_view text, std::string_view from, std::string_view to) {
  if (!text.starts_with(from)) return std::string(text);
  return std::string(to) + std::string(text.substr(from.size()));
}

}  // namespace

std::string HttpFromTrickleUri(std::string_view uri) {
  return ReplaceScheme(ReplaceScheme(uri, "trickle://", "http://"), "trickles://", "https://");
}

std::string TrickleUriFromHttp(std::string_view url) {
  return ReplaceScheme(ReplaceScheme(url, "http://", "trickle://"), "https://", "trickles://");
}

void AddTrickleSourceUri(GType type) { AddUriHandler<SourceType, TrickleProtocols>(type); }
void AddTrickleSinkUri(GType type) { AddUriHandler<SinkType, TrickleProtocols>(type); }
void AddWebSocketSourceUri(GType type) { AddUriHandler<SourceType, WebSocketProtocols>(type); }
void AddWebSocketSinkUri(GType type) { AddUriHandler<SinkType, WebSocketProtocols>(type); }

}  // namespace framelock::plugins
