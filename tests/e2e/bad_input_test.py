# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear answer and disturbs nothing: a healthy stream runs beside every row."""
import http.server
import json
import os
import socket
import struct
import threading
import unittest
from urllib.parse import urlparse

from harness import INVERT, House, assert_adds_up, main, wait_for


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def deep(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def start_body(**changes):
    body = {"subscribe_url": "http://127.0.0.1:9/in", "publish_url": "http://127.0.0.1:9/out",
            "gateway_request_id": "bad", "params": {}}
    body.update(changes)
    return {k: v for k, v in body.items() if v is not Ellipsis}


def with_prompt(prompt):
    return start_body(params={"prompt": prompt if isinstance(prompt, str) else json.dumps(prompt)})


LOAD, SAVE = node("LoadTensor"), node("SaveTensor", images=["1", 0])
CYCLE = {"1": LOAD, "2": node("ImageBlend", image1=["1", 0], image2=["3", 0], blend_factor=0.5,
                              blend_mode="normal"),
         "3": node("ImageInvert", image=["2", 0]), "4": node("SaveTensor", images=["3", 0])}
BLUR = node("ImageBlur", image=["1", 0], blur_radius=1, sigma=1.0)


def blur(**changes):
    inputs = {**BLUR["inputs"], **changes}
    return {"1": LOAD, "2": node("ImageBlur", **{k: v for k, v in inputs.items()
                                                 if v is not Ellipsis}),
            "3": node("SaveTensor", images=["2", 0])}


# name, body of POST /stream/start, words that the answer must hold
START = [
    ("empty body", b"", "Invalid JSON"),
    ("not JSON", b"{", "Invalid JSON"),
    ("JSON with a tail", b'{"a":1} x', "Invalid JSON"),
    ("a list", b"[]", "object"),
    ("a number", b"7", "object"),
    ("null", b"null", "object"),
    ("bare NaN", b'{"subscribe_url": NaN}', "Invalid JSON"),
    ("not UTF-8", b'{"subscribe_url": "\xff\xfe"}', "Invalid JSON"),
    ("depth 10,000", deep(10000), ""),
    ("depth 10,000 of lists", b"[" * 10000 + b"]" * 10000, ""),
    ("5 MB of blanks", b" " * 5000000, ""),
    ("a 5 MB string", b'{"subscribe_url": "' + b"x" * 5000000 + b'"}', ""),
    ("no subscribe_url", start_body(subscribe_url=...), "subscribe_url"),
    ("no publish_url", start_body(publish_url=...), "publish_url"),
    ("subscribe_url a number", start_body(subscribe_url=5), "subscribe_url"),
    ("subscribe_url an object", start_body(subscribe_url={}), "subscribe_url"),
    ("subscribe_url no URL", start_body(subscribe_url="nonsense"), "subscribe_url"),
    ("subscribe_url empty", start_body(subscribe_url=""), "subscribe_url"),
    ("a file URL", start_body(subscribe_url="file:///etc/passwd"), "subscribe_url"),
    ("a gopher URL", start_body(publish_url="gopher://127.0.0.1/x"), "publish_url"),
    ("URL without host", start_body(subscribe_url="http:///x"), "subscribe_url"),
    ("URL with port 99999", start_body(subscribe_url="http://127.0.0.1:99999/x"), "subscribe_url"),
    ("URL with a line break", start_body(publish_url="http://127.0.0.1/a\r\nX: y"), "publish_url"),
    ("id a number", start_body(gateway_request_id=5), "gateway_request_id"),
    ("id empty", start_body(gateway_request_id=""), "gateway_request_id"),
    ("id with a slash", start_body(gateway_request_id="../x"), "gateway_request_id"),
    ("id of 1,000 letters", start_body(gateway_request_id="x" * 1000), "gateway_request_id"),
    ("params a list", start_body(params=[]), "params"),
    ("params a string", start_body(params="x"), "params"),
    ("width zero", start_body(params={"width": 0, "height": 512}), "width"),
    ("width negative", start_body(params={"width": -2, "height": 512}), "width"),
    ("width huge", start_body(params={"width": 100000, "height": 512}), "width"),
    ("width a fraction", start_body(params={"width": 51.5, "height": 512}), "width"),
    ("height a word", start_body(params={"width": 512, "height": "tall"}), "height"),
    ("max_framerate 0", start_body(params={"max_framerate": 0}), "max_framerate"),
    ("max_framerate 1,000", start_body(params={"max_framerate": 1000}), "max_framerate"),
    ("dedicated_worker a word", start_body(params={"dedicated_worker": "maybe"}),
     "dedicated_worker"),
    ("prompt not JSON", with_prompt("{bad"), "Invalid prompt JSON"),
    ("prompt a number", start_body(params={"prompt": 5}), "prompt"),
    ("prompts an object", start_body(params={"prompts": {"1": LOAD}}), "prompts must be a list"),
    ("prompts of numbers", start_body(params={"prompts": [1, 2]}), "prompt"),
    ("prompt a list", with_prompt([LOAD]), ""),
    ("prompt of depth 10,000", with_prompt(deep(10000).decode()), ""),
    ("unknown node", with_prompt({"1": LOAD, "2": node("NoSuchNode"), "3": SAVE}), "NoSuchNode"),
    ("a fault node", with_prompt({"1": LOAD, "2": node("FaultCrash", image=["1", 0]),
                                  "3": node("SaveTensor", images=["2", 0])}), "FaultCrash"),
    ("no class_type", with_prompt({"1": LOAD, "2": {"inputs": {}}, "3": SAVE}), ""),
    ("UI-format workflow", with_prompt({"nodes": [], "links": [], "version": 0.4}), ""),
    ("no input", with_prompt({"3": node("SaveTensor", images=["1", 0])}), "missing input"),
    ("no output", with_prompt({"1": LOAD}), "missing output"),
    ("two outputs", with_prompt({"1": LOAD, "2": SAVE, "3": SAVE}), "too many outputs"),
    ("two inputs", with_prompt({"1": LOAD, "2": LOAD, "3": SAVE}), "too many inputs"),
    ("a cycle", with_prompt(CYCLE), ""),
    ("a self-link", with_prompt(blur(image=["2", 0])), ""),
    ("a dangling link", with_prompt(blur(image=["9", 0])), ""),
    ("a slot out of range", with_prompt(blur(image=["1", 7])), ""),
    ("radius out of range", with_prompt(blur(blur_radius=99)), "value_bigger_than_max"),
    ("radius a word", with_prompt(blur(blur_radius="wide")), "invalid_input_type"),
    ("sigma missing", with_prompt(blur(sigma=...)), "required_input_missing"),
    ("sigma NaN in the prompt", with_prompt(json.dumps(blur()).replace("1.0", "NaN")), ""),
    ("5,000 nodes", with_prompt({str(i): node("LoadTensor") for i in range(5000)}), ""),
]

# name, method, path, body, expected status
OTHER = [
    ("unknown path", "GET", "/nothing", None, 404),
    ("wrong method", "PUT", "/stream/start", b"{}", 405),
    ("status of nobody", "GET", "/stream/nobody/status", None, 404),
    ("stop of nobody", "POST", "/stream/nobody/stop", b"", 404),
    ("update of nobody", "POST", "/stream/nobody/update-prompts", b"{}", 404),
    ("update without prompt", "POST", "/stream/good/update-prompts", b"{}", 400),
    ("update with both", "POST", "/stream/good/update-prompts",
     b'{"prompt":"{}","prompts":[{}]}', 400),
    ("update not JSON", "POST", "/stream/good/update-prompts", b"{", 400),
    ("update prompts a string", "POST", "/stream/good/update-prompts", b'{"prompts":"x"}', 400),
    ("update with a broken prompt", "POST", "/stream/good/update-prompts",
     json.dumps({"prompt": json.dumps(blur(blur_radius=99))}).encode(), 400),
    ("the same id again", "POST", "/stream/start",
     json.dumps(start_body(gateway_request_id="good")).encode(), 409),
    ("a broken escape", "GET", "/stream/%zz/status", None, 400),
    ("a foreign web page", "POST", "/stream/stop", b"", 403),
]


class Origin(http.server.BaseHTTPRequestHandler):
    """A scripted trickle origin: the path's first part says how it misbehaves."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind = self.path.split("/")[1]
        body, headers, status = b"", {"Lp-Trickle-Seq": "0", "Content-Type": "video/mp2t"}, 200
        if kind == "html":
            body, headers = b"<html>hello</html>" * 100, {"Content-Type": "text/html"}
        elif kind == "random":
            body = os.urandom(200000)
        elif kind == "truncated":
            body = self.server.sample[:len(self.server.sample) // 2 + 77]
        elif kind == "notfound":
            status, headers = 404, {}
        elif kind == "jump":
            headers.update({"Lp-Trickle-Latest": "-7", "Lp-Trickle-Seq": "99999999999999999999"})
            status = 470
        elif kind == "teapot":
            status, body = 418, b"short and stout"
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.house.source("good-in", "--fps", 30)
        cls.house.start("good", INVERT)
        cls.house.wait_running("good")
        cls.check = cls.house.check("good-out", "--seconds", 600, "--expect", "inverted")

    @classmethod
    def tearDownClass(cls):
        try:
            status = cls.house.status("good")
            cls.check.program.process.terminate()
            report = cls.check.finish(15)
            assert status["state"] == "running", status
            assert status["prompt_revision"] == 1, status
            assert status["worker"]["restarts"] == 0, status
            assert report["mismatched"] == report["duplicated"] == report["out_of_order"] == 0
            assert report["inverted_frames"] == report["frames"] > 60, report
            assert report["max_gap_ms"] < 500, report
            account = status["account"]
            assert account["lost"] == account["failed"] == 0, status
            assert account["skipped"] < account["inputs"] / 20, status
        finally:
            cls.house.__exit__(None, None, None)

    def test_start(self):
        for name, body, words in START:
            with self.subTest(name):
                status, answer = self.house.call("POST", "/stream/start", body)
                self.assertIn(status, (400, 413), (status, answer))
                self.assertIn(words, json.dumps(answer))
                self.assertIn("error", answer)
        self.assertEqual(list(self.house.call("GET", "/streams")[1]["streams"]), ["good"])

    def test_other_calls(self):
        for name, method, path, body, expected in OTHER:
            with self.subTest(name):
                headers = {"Origin": "http://evil.example"} if name.startswith("a foreign") else {}
                status, answer = self.house.call(method, path, body, headers=headers)
                self.assertEqual(status, expected, answer)

    def raw(self, url, request, after=b""):
        """Sends bytes as they are, and more after the first answer; returns all that comes back
        within a second."""
        where = urlparse(url)
        with socket.create_connection((where.hostname, where.port)) as peer:
            peer.settimeout(1)
            got = b""
            try:
                peer.sendall(request)
                if after:
                    got = peer.recv(4096)
                    peer.sendall(after)
                while len(got) < 65536:
                    piece = peer.recv(4096)
                    if not piece:
                        break
                    got += piece
            except (socket.timeout, ConnectionError):
                pass
            return got

    def test_broken_http(self):
        for url in (self.house.api_url, self.house.relay_url):
            for name, request in [
                    ("no HTTP", b"hello\r\n\r\n"),
                    ("random bytes", os.urandom(4096)),
                    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200),
                    ("HTTP/9.9", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"),
                    ("a header without colon", b"GET / HTTP/1.1\r\nHost x\r\n\r\n"),
                    ("100 KB of header", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100000 +
                     b"\r\n\r\n"),
                    ("two body lengths", b"POST /x/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nabc"),
                    ("a broken chunk", b"POST /x/0 HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
                    ("negative length", b"POST /x/0 HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: -5\r\n\r\n")]:
                with self.subTest(name, url=url):
                    got = self.raw(url, request)
                    self.assertTrue(got == b"" or got.startswith(b"HTTP/1.1 4") or
                                    got.startswith(b"HTTP/1.1 5"), got[:200])
                    self.assertNotIn(b"HTTP/1.1 500", got)

    def test_websocket_door(self):
        upgrade = ("GET /ws/door%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        mask = struct.pack(">I", 0)
        for name, frames in [
                ("an unmasked frame", b"\x82\x01x"),
                ("a reserved opcode", b"\x8b\x81" + mask + b"x"),
                ("a frame of 2^62 bytes", b"\x82\xff" + struct.pack(">Q", 2 ** 62) + mask + b"x"),
                ("a text of broken UTF-8", b"\x81\x82" + mask + b"\xff\xfe"),
                ("random bytes", os.urandom(3000)),
                ("no MPEG-TS", b"\x82\xfe" + struct.pack(">H", 2000) + mask + b"x" * 2000)]:
            with self.subTest(name):
                request = (upgrade % "?publish=1").encode()
                got = self.raw(self.house.relay_url, request, frames)
                self.assertTrue(got.startswith(b"HTTP/1.1 101"), got[:200])
                got = self.raw(self.house.relay_url, request + frames)  # before the answer
                self.assertTrue(got.startswith(b"HTTP/1.1 400"), got[:200])

    def half_a_picture(self, url):
        """TS that ends in the middle of a packet, again and again: whole pictures are shown."""
        status, answer = self.house.call("POST", "/stream/start", start_body(
            gateway_request_id="torn", subscribe_url=url, publish_url=self.house.channel("torn")))
        self.assertEqual(status, 200, answer)
        try:
            found = wait_for("pictures or an error", lambda: (
                lambda s: s if s["last_error"] or s["account"]["completed"] else None)(
                    self.house.status("torn")), 15)
            assert_adds_up(self, found)
        finally:
            self.house.stop_stream("torn")

    def stream_error(self, stream, url):
        """A stream that cannot work says so in its status, and stops on request."""
        status, answer = self.house.call("POST", "/stream/start", start_body(
            gateway_request_id=stream, subscribe_url=url,
            publish_url=self.house.channel(stream + "-out")))
        self.assertEqual(status, 200, answer)
        try:
            found = wait_for(stream + " to report an error",
                             lambda: (lambda s: s if s["last_error"] else None)(
                                 self.house.status(stream)), 15)
            self.assertEqual(found["account"]["completed"], 0)
            assert_adds_up(self, found)
        finally:
            self.house.stop_stream(stream)

    def test_bad_media(self):
        sample = self.sample()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        server.sample = sample
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = "http://127.0.0.1:%d/" % server.server_port
        try:
            for kind in ("html", "random", "notfound", "jump", "teapot"):
                with self.subTest(kind):
                    self.stream_error("bad-" + kind, base + kind)
            with self.subTest("truncated"):
                self.half_a_picture(base + "truncated")
        finally:
            server.shutdown()
            server.server_close()

    def test_closed_port(self):
        with socket.socket() as spare:
            spare.bind(("127.0.0.1", 0))
            port = spare.getsockname()[1]
        self.stream_error("bad-port", "http://127.0.0.1:%d/x" % port)
        self.stream_error("bad-ws", "ws://127.0.0.1:%d/x" % port)

    def sample(self):
        """The first bytes of the good stream, as its reader gets them."""
        where = urlparse(self.house.channel("good-in"))
        got = self.raw(self.house.channel("good-in"),
                       ("GET %s/-2 HTTP/1.1\r\nHost: x\r\n\r\n" % where.path).encode())
        return got.split(b"\r\n\r\n", 1)[1]


if __name__ == "__main__":
    main()
