#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker that is not ours: it speaks workers/PROTOCOL.md and nothing else, without a graph.

The prompt is a JSON object instead of a graph, all fields optional:
  "op": "invert" (default) | "copy"    what happens to the bytes
  "sleep_ms": n                        service time of each frame
  "fail": "text"                       every frame fails with it
  "scale": n                           output is n times as wide and high (pixels repeat)
  "load_ms": n                         how long the prompt takes to load
  "lie": "sequence" | "repeat" | "slot" | "generation" | "revision" | "size" | "type" | "fds"
         | "short"                     what is wrong with each answer to a frame
  "exit": n                            exits so at the first frame
  "hang": true                         never answers a frame (heartbeat goes on)
  "say": "text"                        of sound, with each frame
Anything that is not a JSON object is rejected, and so is {"reject": "text"}.
"""

import argparse
import fcntl
import json
import mmap
import os
import select
import socket
import struct
import sys
import threading
import time

HELLO, SET_PROMPT, ATTACH, SUBMIT, STOP = 1, 2, 3, 4, 5
WELCOME, APPLIED, REJECTED, ATTACHED, COMPLETED, FRAME_TEXT = 65, 66, 67, 68, 69, 71
OK, FAILED, TOO_LARGE = 1, 2, 3
F_ADD_SEALS, ALL_SEALS = 1033, 0xF
INVERT = bytes(255 - i for i in range(256))


def packed_row(width, bytes_per_pixel):
    return (width * bytes_per_pixel + 3) // 4 * 4


class Region:
    def __init__(self, fields, fd):
        (_, self.format, self.generation, size, self.in_bytes, self.out_bytes, self.ins, self.outs,
         self.width, self.height, self.stride, _) = fields
        self.bpp = 4 if self.format == 2 else 3
        self.map = mmap.mmap(fd, size)

    def read(self, slot):
        row = self.width * self.bpp
        start = slot * self.in_bytes
        return [self.map[start + y * self.stride:start + y * self.stride + row]
                for y in range(self.height)]

    def write(self, slot, rows, width):
        stride = packed_row(width, self.bpp)
        start = self.ins * self.in_bytes + slot * self.out_bytes
        picture = b"".join(row.ljust(stride, b"\0") for row in rows)
        self.map[start:start + len(picture)] = picture


class Worker:
    def __init__(self, sock):
        self.sock = sock
        self.page = None
        self.region = None
        self.prompt = None
        self.revision = 0

    def beat(self):
        while True:
            page = self.page
            if page is not None:
                page[0:8] = struct.pack("<Q", struct.unpack("<Q", page[0:8])[0] + 1)
            time.sleep(0.1)

    def send(self, packet, fds=()):
        socket.send_fds(self.sock, [packet], list(fds))

    def serve(self):
        threading.Thread(target=self.beat, daemon=True).start()
        handlers = {HELLO: self.hello, SET_PROMPT: self.set_prompt, ATTACH: self.attach,
                    SUBMIT: self.submit}
        while True:
            select.select([self.sock], [], [])
            packet, fds, _, _ = socket.recv_fds(self.sock, 65536, 4)
            if not packet:
                return
            kind = struct.unpack_from("<I", packet)[0]
            if kind == STOP:
                return
            handlers[kind](packet, fds)
            for fd in fds:
                os.close(fd)

    def hello(self, packet, fds):
        _, version, greeting, _ = struct.unpack("<IIII", packet)
        self.region = None
        self.page = mmap.mmap(fds[0], 4096)
        self.send(struct.pack("<IIiIQ", WELCOME, version, os.getpid(), greeting, self.revision))

    def set_prompt(self, packet, fds):
        _, _, revision, size = struct.unpack("<IIQQ", packet)
        try:
            prompt = json.loads(os.pread(fds[0], size, 0))
            if not isinstance(prompt, dict):
                raise ValueError("the prompt is not an object")
            if "reject" in prompt:
                raise ValueError(prompt["reject"])
        except ValueError as error:
            self.reject(revision, str(error))
            return
        time.sleep(prompt.get("load_ms", 0) / 1000)
        self.prompt = prompt
        self.revision = revision
        width, height = self.output_size() if self.region else (0, 0)
        self.send(struct.pack("<IIQII", APPLIED, 0, revision, width, height))

    def reject(self, revision, reason):
        text = json.dumps({"error": {"type": "invalid_prompt", "message": reason, "details": "",
                                     "extra_info": {}}, "node_errors": {}}).encode()
        self.send_text(struct.pack("<IIQQ", REJECTED, 0, revision, len(text)), text)

    def say(self, sequence, words):
        text = words.encode()
        self.send_text(struct.pack("<IIQQ", FRAME_TEXT, 1, sequence, len(text)), text)

    def send_text(self, packet, text):
        fd = os.memfd_create("text", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(fd, text)
        fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
        self.send(packet, [fd])
        os.close(fd)

    def attach(self, packet, fds):
        self.region = Region(struct.unpack("<IIQQQQIIIIII", packet), fds[0])
        self.send(struct.pack("<IIQII", ATTACHED, 0, self.region.generation, *self.output_size()))

    def output_size(self):
        scale = (self.prompt or {}).get("scale", 1)
        return self.region.width * scale, self.region.height * scale

    def submit(self, packet, _):
        start = time.monotonic_ns()
        _, _, sequence, generation, in_slot, out_slot = struct.unpack("<IIQQII", packet)
        prompt = {"fail": "no prompt"} if self.prompt is None else self.prompt
        time.sleep(prompt.get("sleep_ms", 0) / 1000)
        if "exit" in prompt:
            os._exit(prompt["exit"])
        if prompt.get("hang"):
            threading.Event().wait()
        if "say" in prompt:
            self.say(sequence, prompt["say"])
        width, height = self.output_size()
        outcome, error = OK, prompt.get("fail", "")
        if error:
            outcome, width, height = FAILED, 0, 0
        elif packed_row(width, self.region.bpp) * height > self.region.out_bytes:
            outcome = TOO_LARGE
        else:
            self.region.write(out_slot, self.process(prompt, self.region.read(in_slot)), width)
        answer = [COMPLETED, outcome, sequence, generation, self.revision,
                  time.monotonic_ns() - start, out_slot, width, height, 0, error.encode()[:199]]
        self.answer(answer, prompt.get("lie"))

    def process(self, prompt, rows):
        scale = prompt.get("scale", 1)
        if prompt.get("op", "invert") == "invert":
            rows = [row.translate(INVERT) for row in rows]
        if scale == 1:
            return rows
        bpp = self.region.bpp
        wide = [b"".join(row[x:x + bpp] * scale for x in range(0, len(row), bpp)) for row in rows]
        return [row for row in wide for _ in range(scale)]

    def answer(self, answer, lie):
        spoiled = {"type": 0, "sequence": 2, "generation": 3, "revision": 4, "slot": 6}
        if lie in spoiled:
            answer[spoiled[lie]] += 1000
        if lie == "size":
            answer[7] = 16384
        packet = struct.pack("<IIQQQQIIII200s", *answer)
        if lie == "short":
            packet = packet[:-1]
        self.send(packet, [self.sock.fileno()] if lie == "fds" else [])
        if lie == "repeat":
            self.send(packet)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket-fd", type=int, required=True)
    parser.add_argument("--die-with-parent", type=int)
    arguments, _ = parser.parse_known_args()
    sock = socket.socket(fileno=arguments.socket_fd)
    sock.setblocking(True)
    try:
        Worker(sock).serve()
    except (BrokenPipeError, ConnectionResetError):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
