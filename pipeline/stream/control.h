// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"

namespace framelock::stream {

/// The line between framelockd and one framelock-stream: JSON objects over a PacketSocket. An
/// object that does not fit into one packet rides as a sealed memfd; neither side notices. "type"
/// says which:
///
///   daemon -> stream
///     {"type":"worker","lease":n,"width":w,"height":h} + 1 fd   lends a worker's socket; its
///                                       prompt is applied already
///     {"type":"switch_worker","lease":n,"width":w,"height":h} + 1 fd   the same, but it takes over
///                                       between two frames, and the one before is given back:
///                                       nothing reads it then
///     {"type":"set_prompt","request":n,"width":w,"height":h,"settings":{…}} + 1 fd   the prompt's
///                                       JSON (SealText)
///     {"type":"stop"}                   finish the output, then exit 0
///   stream -> daemon
///     {"type":"started"}                pipeline is running
///     {"type":"status","status":{…}}    every 250 ms and after each change of state
///     {"type":"prompt_result","request":n,"applied":b,"revision":r,"errors":{…}}
///     {"type":"switched","lease":n,"applied":b,"in_force":b,"errors":{…}}   unless it is in force,
///                                       the one before goes on, and this one is given back
///     {"type":"worker_lost","lease":n,"reason":"closed|hung|protocol","detail":"…"}   lend another
///     {"type":"text","sequence":n,"pts":t,"text":"…"}   of a published frame; pts: 90 kHz or null
///     {"type":"error","message":"…","fatal":b}
///     {"type":"ended","reason":"eos|stopped|error"}
///
/// "width" and "height" are of the frames that the prompt gets, from its first one on; both may be
/// left out: as before. "settings" are all that hold for the worker from this prompt on; they may
/// be left out, too. "lease" counts the workers lent on this line; worker_lost repeats it, so that
/// a late one is not taken for the worker lent since. The process is started as
///   framelock-stream --config-fd N --control-fd M --die-with-parent PID
/// (config: the JSON of StreamConfig, read to its end) and exits when the daemon's end closes. Exit
/// codes: 0 stopped or end of stream, 1 error, 2 bad arguments.
///
/// Not thread-safe, except that one thread may send while another receives.
class ControlChannel {
 public:
  /// Longest object, and longest text beside it, in bytes.
  static constexpr std::size_t kMaxMessageBytes = 4 * 1024 * 1024;

  struct Message {
    nlohmann::json body;
    UniqueFd fd;            // invalid unless one came along
    bool enclosed = false;  // it did not fit into a packet: up to kMaxMessageBytes
  };

  explicit ControlChannel(PacketSocket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int fd() const { return socket_.fd(); }

  /// Sends one object, with at most one descriptor (the caller keeps its own). kUnavailable: full,
  /// try later; kClosed: the peer is gone.
  Status Send(const nlohmann::json& message, int fd = -1) const;
  /// Next message; nullopt: none now. kClosed: the peer is gone. kProtocol: not an object with a
  /// "type", or one that rides in anything but a sealed memfd. Never blocks.
  Result<std::optional<Message>> Receive() const;

 private:
  PacketSocket socket_;
};

}  // namespace framelock::stream
