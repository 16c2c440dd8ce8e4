# SPDX-License-Identifier: Apache-2.0
"""Publishes MPEG-TS as a trickle publisher of any kind would: paced, cut at keyframes, with the
time stamps, numbers and manners that a test asks for."""
import http.client
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

PACKET = 188
CLOCK = 90000
RANGE = 1 << 33


class Unit:
    """The packets of one picture and of what stands in front of it; `number` is stamped into it."""

    def __init__(self):
        self.packets = []
        self.key = False
        self.pid = self.pts = self.dts = self.number = None

    def copy(self):
        other = Unit()
        other.packets = [bytearray(p) for p in self.packets]
        other.key, other.pid, other.number = self.key, self.pid, self.number
        other.pts, other.dts = self.pts, self.dts
        return other


def _read_stamp(data):
    return ((data[0] >> 1 & 7) << 30 | data[1] << 22 | data[2] >> 1 << 15 | data[3] << 7 |
            data[4] >> 1)


def _write_stamp(data, at, ticks):
    ticks %= RANGE
    data[at] = data[at] & 0xF1 | (ticks >> 30) << 1
    data[at + 1] = ticks >> 22 & 0xFF
    data[at + 2] = ticks >> 14 & 0xFE | 1
    data[at + 3] = ticks >> 7 & 0xFF
    data[at + 4] = ticks << 1 & 0xFE | 1


def _pes_head(packet):
    """Where a PES packet with a time begins in this one."""
    if not packet[1] & 0x40 or not packet[3] & 0x10:
        return None
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if at + 14 > PACKET or packet[at:at + 3] != b"\0\0\1" or packet[at + 3] & 0xF0 != 0xE0:
        return None
    return at if packet[at + 7] & 0x80 else None


def parse(data, first_number=0, fps=30):
    """The pictures of a transport stream with one video, in the order of their packets."""
    units, front = [], []
    for at in range(0, len(data) - PACKET + 1, PACKET):
        packet = bytearray(data[at:at + PACKET])
        assert packet[0] == 0x47, at
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        head = _pes_head(packet)
        if head is not None:
            unit = Unit()
            unit.packets, front = front, []
            unit.pid = pid
            unit.key = bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x40)
            unit.pts = _read_stamp(packet[head + 9:])
            both = packet[head + 7] & 0xC0 == 0xC0
            unit.dts = _read_stamp(packet[head + 14:]) if both else unit.pts
            units.append(unit)
        if units and pid == units[-1].pid:
            units[-1].packets += front + [packet]
            front = []
        else:
            front.append(packet)
    first = min(u.pts for u in units)
    for unit in units:
        unit.number = first_number + round((unit.pts - first) * fps / CLOCK)
    return units


def at_time(units, pts):
    """The same pictures, the first one shown at `pts`."""
    by = pts - min(u.pts for u in units)
    moved = []
    for unit in (u.copy() for u in units):
        unit.pts += by
        unit.dts += by
        for packet in unit.packets:
            if packet[3] & 0x20 and packet[4] and packet[5] & 0x10:
                clock = (packet[6] << 25 | packet[7] << 17 | packet[8] << 9 | packet[9] << 1 |
                         packet[10] >> 7)
                clock = (clock + by) % RANGE
                packet[6:10] = struct.pack(">I", clock >> 1)
                packet[10] = packet[10] & 0x7F | (clock & 1) << 7
            head = _pes_head(packet)
            if head is not None:
                _write_stamp(packet, head + 9, unit.pts)
                if packet[head + 7] & 0x40:
                    _write_stamp(packet, head + 14, unit.dts)
        moved.append(unit)
    return moved


def ends_unseen(unit):
    """Whether its last packet is not filled up, so that nothing tells that it is the last."""
    last = [p for p in unit.packets if (p[1] & 0x1F) << 8 | p[2] == unit.pid][-1]
    if not last[3] & 0x20:
        return True
    used = 7 if last[4] and last[5] & 0x10 else 1  # a clock, or flags alone
    return last[4] == used and last[5] != 0


def without_pts(units, every):
    """Takes its time from every so-manieth picture that is no keyframe."""
    bare = [u.copy() for u in units]
    for unit in (u for i, u in enumerate(bare) if i % every == 1 and not u.key):
        for packet in unit.packets:
            head = _pes_head(packet)
            if head is not None:
                packet[head + 7] &= 0x3F
                size = packet[head + 8]
                packet[head + 9:head + 9 + size] = b"\xff" * size
    return bare


def damaged(units, index):
    """Makes nonsense of the end of what one picture says."""
    broken = [u.copy() for u in units]
    for packet in broken[index].packets[-2:]:
        packet[60:180] = bytes((b * 7 + 31) & 0xFF | 0x10 for b in packet[60:180])
    return broken


class Renumbered:
    """Continuity counters that never jump, or that start anew with each segment."""

    def __init__(self, fresh):
        self.fresh, self.counters = fresh, {}

    def write(self, unit):
        out = bytearray()
        if self.fresh and unit.key:
            self.counters = {}
        for packet in unit.packets:
            pid = (packet[1] & 0x1F) << 8 | packet[2]
            counter = self.counters.get(pid, -1)
            if packet[3] & 0x10:
                counter = (counter + 1) & 0xF
                self.counters[pid] = counter
            packet[3] = packet[3] & 0xF0 | max(counter, 0)
            out += packet
        return bytes(out)


def record(house, path, *args):
    """A file of the demo source's pictures, as ffmpeg muxes them."""
    raw = path + ".raw"
    source = house.run("framelock-demo-source", "--publish", "file://" + raw, "--unpaced", *args)
    assert source.wait(60) == 0, source.stderr()
    return remux(raw, path, "-c", "copy")


def remux(source, path, *args):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-copyts", "-i", source, *args, "-f", "mpegts",
                    path], check=True, timeout=60)
    with open(path, "rb") as file:
        return file.read()


class Publisher(threading.Thread):
    """Publishes pictures in real time, a segment a keyframe, the next POST opened beside it."""

    def __init__(self, channel, units, first_seq=0, reset=False, fresh_muxers=False):
        super().__init__(daemon=True)
        self.url = urllib.parse.urlsplit(channel)
        self.units, self.seq, self.reset = units, first_seq, reset
        self.continuity = Renumbered(fresh_muxers)
        self.sent = []  # (when, unit)
        self.segment = None  # being written
        self.vanish = threading.Event()
        self.error = None

    def run(self):
        try:
            self.publish()
        except OSError as error:
            self.error = error

    def post(self):
        post = socket.create_connection((self.url.hostname, self.url.port))
        post.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reset = "Lp-Trickle-Reset: 1\r\n" if self.reset else ""
        post.sendall(("POST %s/%d HTTP/1.1\r\nHost: x\r\nContent-Type: video/mp2t\r\n%s"
                      "Transfer-Encoding: chunked\r\n\r\n" % (self.url.path, self.seq, reset))
                     .encode())
        self.reset = False
        self.seq += 1
        return post

    def publish(self):
        current, following = None, self.post()
        start = time.monotonic()
        previous, clock = None, 0.0
        for unit in self.units:
            # A jump of the stamps takes the publisher no time.
            step = 0 if previous is None else (unit.dts - previous) / CLOCK
            clock += step if 0 <= step < 1 else 1 / 30
            previous = unit.dts
            if self.vanish.wait(max(0.0, start + clock - time.monotonic())):
                break
            if unit.key:
                self.finish(current)
                self.segment = self.seq - 1
                current, following = following, self.post()
            data = self.continuity.write(unit)
            current.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            self.sent.append((time.time(), unit))
        for post in (current, following):
            reset_connection(post)

    @staticmethod
    def finish(post):
        if post is None:
            return
        post.sendall(b"0\r\n\r\n")
        threading.Thread(target=Publisher.await_answer, args=(post,), daemon=True).start()

    @staticmethod
    def await_answer(post):
        try:
            post.settimeout(5)
            post.recv(4096)
        except OSError:
            pass
        post.close()

    def stop(self):
        self.vanish.set()
        self.join(10)
        if self.error:
            raise self.error


def next_seq(channel):
    url = urllib.parse.urlsplit(channel)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
    connection.request("GET", url.path + "/next")
    number = int(connection.getresponse().read())
    connection.close()
    return number


def reset_connection(connection):
    """Ends it by an RST."""
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Proxy:
    """Passes TCP connections on to one server; reset() breaks all that are open."""

    def __init__(self, target):
        url = urllib.parse.urlsplit(target)
        self.target = (url.hostname, url.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.open = {}  # pairs, and how many of their directions still are
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                reset_connection(near)
                continue
            pair = (near, far)
            for side in pair:
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.open[pair] = 2
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self.copy, args=(source, sink, pair), daemon=True).start()

    def copy(self, source, sink, pair):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return self.drop(pair)
        with self.lock:
            if pair not in self.open:
                return
            self.open[pair] -= 1
            if self.open[pair] > 0:
                return
            del self.open[pair]
        for side in pair:
            side.close()

    def drop(self, pair):
        with self.lock:
            self.open.pop(pair, None)
        for side in pair:
            try:
                side.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            except OSError:
                pass
            try:
                reset_connection(side)
            except OSError:
                pass  # the other direction's thread was faster

    def reset(self):
        with self.lock:
            pairs = list(self.open)
        for pair in pairs:
            self.drop(pair)
        return len(pairs)

    def close(self):
        self.listener.close()
        self.reset()
