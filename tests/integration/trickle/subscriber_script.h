// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/scripted_server.h"
#include "trickle/subscriber.h"

namespace framelock::trickle {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ScriptedServer;
using Exchange = ScriptedServer::Exchange;
using Request = ScriptedServer::Request;

inline SubscriberOptions FastOptions(const ScriptedServer& server) {
  SubscriberOptions options;
  options.url = server.Url("/base/ch");
  options.retry_initial = milliseconds(20);
  options.retry_max = milliseconds(100);
  options.give_up_after = milliseconds(1500);
  return options;
}

inline std::string Text(const Piece& piece) {
  return {reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size()};
}

struct Received {
  std::string text;  // '|' before a segment's first piece, '!' before a discontinuity
  std::optional<Error> end;
};

inline Received ReadAll(Subscriber& subscriber) {
  Received received;
  while (true) {
    Result<Piece> piece = subscriber.Read(seconds(10));
    if (!piece) {
      received.end = piece.error();
      return received;
    }
    if (piece->discontinuity) received.text += '!';
    if (piece->segment_start) received.text += '|';
    received.text += Text(*piece);
  }
}

inline ScriptedServer::Script Segment(std::uint64_t seq, std::string body) {
  return [seq, body](Exchange& exchange, const Request&) {
    exchange.BeginBody(seq);
    exchange.Chunk(body);
    exchange.EndBody();
  };
}

inline void AnswerClosed(Exchange& exchange, const Request&) {
  exchange.Answer(200, "Lp-Trickle-Seq: 9\r\nLp-Trickle-Closed: terminated\r\n");
}

}  // namespace framelock::trickle
