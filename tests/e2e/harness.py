# SPDX-License-Identifier: Apache-2.0
"""Starts the shipped binaries on loopback and looks at them from outside.

A House holds one framelock-relay and one framelockd on free ports; everything it starts it ends,
whatever the test did. Frames are judged by framelock-demo-check, which reads the numbers that
framelock-demo-source stamped into the pictures.
"""
import csv
import json
import os
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BIN = os.environ.get("FRAMELOCK_BIN", "build/release/bin")
LONG = os.environ.get("FRAMELOCK_E2E_LONG") == "1"

INVERT = {"1": {"class_type": "LoadTensor", "inputs": {}},
          "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
          "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}
BLUR = {"1": {"class_type": "LoadTensor", "inputs": {}},
        "2": {"class_type": "ImageBlur",
              "inputs": {"image": ["1", 0], "blur_radius": 1, "sigma": 1.0}},
        "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}


def wait_for(what, predicate, seconds):
    """Polls until predicate() is true; its last value is returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited %.1f s in vain for %s" % (seconds, what))
        time.sleep(0.02)


class Program:
    """One child process with its output in files."""

    def __init__(self, name, *args, env=None):
        self.name = name
        self.out = tempfile.NamedTemporaryFile("w+", prefix=name + "-", suffix=".out")
        self.err = tempfile.NamedTemporaryFile("w+", prefix=name + "-", suffix=".err")
        command = [os.path.join(BIN, name) if name.startswith("framelock") else name]
        self.process = subprocess.Popen(command + [str(a) for a in args], stdout=self.out,
                                        stderr=self.err, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.process.pid

    def stdout(self):
        with open(self.out.name) as file:
            return file.read()

    def stderr(self):
        with open(self.err.name) as file:
            return file.read()

    def listening(self):
        """Waits for the line "listening on http://..." and returns the URL."""
        def look():
            found = re.search(r"listening on (http://\S+)", self.stdout())
            if not found and self.process.poll() is not None:
                raise AssertionError("%s ended: %s" % (self.name, self.stderr()[-2000:]))
            return found
        return wait_for(self.name + " to listen", look, 20).group(1).rstrip("/")

    def wait(self, seconds):
        return self.process.wait(seconds)

    def stop(self, seconds=5):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        self.err.close()


class House:
    def __init__(self, relay_args=(), daemon_args=()):
        self.programs = []
        self.relay_args = relay_args
        self.relay = self.run("framelock-relay", "--listen", "127.0.0.1:0", *relay_args)
        self.relay_url = self.relay.listening()
        self.daemon = self.run("framelockd", "--listen", "127.0.0.1:0", *daemon_args)
        self.api_url = self.daemon.listening()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            print("---- framelockd's last words\n" + self.daemon.stderr()[-4000:])
        for program in reversed(self.programs):
            program.stop()

    def run(self, name, *args, env=None):
        program = Program(name, *args, env=env)
        self.programs.append(program)
        return program

    def restart_relay(self, away):
        """Kills the relay; another one takes its port after so many seconds. When it listens."""
        self.relay.process.kill()
        self.relay.process.wait()
        time.sleep(away)
        address = self.relay_url.removeprefix("http://")
        self.relay = self.run("framelock-relay", "--listen", address, *self.relay_args)
        self.relay.listening()
        return time.time()

    def channel(self, name):
        return self.relay_url + "/" + name

    # -- the control API ------------------------------------------------------------------------

    def call(self, method, path, body=None, timeout=20, headers=None):
        """Returns (status, parsed JSON or text). body: bytes as they are, else JSON."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.api_url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for key, value in (headers or {}).items():
            request.add_header(key, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def start(self, stream, prompt, source=None, sink=None, data=None, **params):
        if prompt is not None:
            params["prompt"] = json.dumps(prompt)
        status, answer = self.call("POST", "/stream/start", {
            "subscribe_url": source or self.channel(stream + "-in"),
            "publish_url": sink or self.channel(stream + "-out"), "data_url": data,
            "gateway_request_id": stream, "params": params})
        assert status == 200, (status, answer)
        return answer

    def status(self, stream):
        status, answer = self.call("GET", "/stream/%s/status" % stream)
        assert status == 200, (status, answer)
        return answer

    def update(self, stream, prompt, **parameters):
        body = {"prompt": json.dumps(prompt)}
        if parameters:
            body["parameters"] = parameters
        return self.call("POST", "/stream/%s/update-prompts" % stream, body)

    def stop_stream(self, stream):
        status, answer = self.call("POST", "/stream/%s/stop" % stream)
        assert status == 200, (status, answer)

    # -- media ----------------------------------------------------------------------------------

    def source(self, channel, *args):
        return self.run("framelock-demo-source", "--publish", self.channel(channel), *args)

    def check(self, channel, *args):
        return Check(self, channel, *args)

    def wait_running(self, stream, seconds=10):
        return wait_for(stream + " to complete frames",
                        lambda: self.status(stream)["account"]["completed"] > 5 and
                        self.status(stream), seconds)


class Check:
    """One framelock-demo-check on a channel: its report and its frames, one row each."""

    def __init__(self, house, channel, *args):
        self.report_file = tempfile.NamedTemporaryFile("r", suffix=".json")
        self.frames_file = tempfile.NamedTemporaryFile("r", suffix=".csv")
        self.program = house.run("framelock-demo-check", "--subscribe", house.channel(channel),
                                 "--report", self.report_file.name,
                                 "--frames-log", self.frames_file.name, *args)

    def frames(self):
        """Rows so far: arrival (CLOCK_REALTIME seconds), number or None, inverted, pts ticks, size."""
        rows = []
        with open(self.frames_file.name) as file:
            for row in csv.DictReader(file):
                try:
                    rows.append({"arrival": float(row["arrival_us"]) / 1e6,
                                 "number": int(row["number"]) if row["number"] else None,
                                 "inverted": row["inverted"] == "1",
                                 "pts": int(row["pts_ticks"]),
                                 "size": "%dx%d" % (int(row["width"]), int(row["height"]))})
                except (TypeError, ValueError, KeyError):
                    break  # the last line is still being written
        return rows

    def finish(self, seconds):
        """Waits for its end; returns the report."""
        self.program.wait(seconds)
        with open(self.report_file.name) as file:
            return json.load(file)


# -- the machine --------------------------------------------------------------------------------

def children_of(pid):
    """All descendants: {pid: program name}."""
    found, queue = {}, [pid]
    while queue:
        parent = queue.pop()
        for task in _listdir("/proc/%d/task" % parent):
            try:
                with open("/proc/%d/task/%s/children" % (parent, task)) as file:
                    for child in map(int, file.read().split()):
                        found[child] = program_name(child)
                        queue.append(child)
            except OSError:
                pass
    return found


def program_name(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return os.path.basename(file.read().split(b"\0")[0].decode())
    except OSError:
        return ""


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _listdir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def footprint(pid):
    """What a leak would show: open descriptors, threads, memory maps, children."""
    with open("/proc/%d/maps" % pid) as file:
        maps = sum(1 for _ in file)
    return {"fds": len(_listdir("/proc/%d/fd" % pid)),
            "threads": len(_listdir("/proc/%d/task" % pid)), "maps": maps,
            "children": len(children_of(pid))}


def intervals(frames):
    return [b["arrival"] - a["arrival"] for a, b in zip(frames, frames[1:])]


def assert_adds_up(test, status):
    account = status["account"]
    test.assertEqual(account["inputs"],
                     sum(account[k] for k in ("completed", "skipped", "failed", "lost", "open")),
                     account)


def main():
    unittest.main(verbosity=2)
