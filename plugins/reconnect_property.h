// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/net/websocket_client.h"
#include "plugins/option_property.h"

namespace framelock::plugins {

/// "reconnect" of the WebSocket elements.
inline constexpr OptionProperty<net::WebSocketClientOptions> kReconnectProperty = {
    "reconnect", "Reconnect",
    "Connect again after a loss or a close with another code than 1000; else either is an error",
    OwnProperty<net::WebSocketClientOptions>{
        .spec =
            [](const char* name, const char* nick, const char* blurb) {
              return g_param_spec_boolean(name, nick, blurb, TRUE, kOptionFlags);
            },
        .set =
            [](net::WebSocketClientOptions& options, const GValue* value) {
              options.reconnect =
                  g_value_get_boolean(value) ? net::Reconnect::kAfterLoss : net::Reconnect::kNever;
            },
        .get =
            [](const net::WebSocketClientOptions& options, GValue* value) {
              g_value_set_boolean(value, options.reconnect == net::Reconnect::kAfterLoss);
            }}};

}  // namespace framelock::plugins
