# SPDX-License-Identifier: Apache-2.0
"""Which files framelock-worker opens for prompts with hostile names, told by the kernel: every
system call that takes a path is traced.

Usage: paths_test.py WORKER. Exit status 77: this machine lets nobody trace a process.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

WORKER = sys.argv[1]
SKIPPED = 77
# A call that another thread's interrupts is told in two lines.
OPENED = re.compile(r"(?:\b(?:open|openat|openat2|creat)\(.*|"
                    r"<\.\.\. (?:open|openat|openat2|creat) resumed>.*)\) = \d+<(.*)>$")


def png(grey):
    """Two by two pixels."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + bytes([grey] * 6)) * 2
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write(path, data):
    with open(path, "wb") as stream:
        stream.write(data)


def can_trace(scratch):
    if shutil.which("strace") is None:
        return False
    log = os.path.join(scratch, "probe")
    done = subprocess.run(["strace", "-f", "-o", log, "true"], capture_output=True, timeout=60)
    return done.returncode == 0


class Paths(unittest.TestCase):
    """SCRATCH/canary.png, SCRATCH/work/canary.png and the workspace SCRATCH/work, with traps."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = os.path.realpath(scratch.name)
        self.work = os.path.join(self.scratch, "work")
        self.input = os.path.join(self.work, "input")
        for folder in ("prompts", "work/input/folder", "work/output"):
            os.makedirs(os.path.join(self.scratch, folder))
        self.canary = os.path.join(self.scratch, "canary.png")
        for path in (self.canary, os.path.join(self.work, "canary.png")):
            write(path, png(255))
        write(os.path.join(self.input, "good.png"), png(10))
        write(os.path.join(self.work, "output", "made.png"), png(30))
        for name, target in (("absolute.png", self.canary), ("relative.png", "../../canary.png"),
                             ("chain.png", "absolute.png"), ("up", "../.."), ("slash", "/"),
                             ("magicroot", "/proc/self/root")):
            os.symlink(target, os.path.join(self.input, name))

    def hostile(self):
        canary = self.canary
        return ["../canary.png", "../../canary.png", "folder/../../canary.png",
                "folder/../../../canary.png", "./../canary.png", "folder/./.././../canary.png",
                "..//canary.png", "../input/../canary.png", "../output/made.png", canary,
                "/" + canary, "//" + canary, "/etc/passwd", "/proc/self/environ",
                "/proc/self/root" + canary, "/dev/zero", "..\\canary.png", "%2e%2e/canary.png",
                "..%2fcanary.png", "..%252fcanary.png", "good.png\0../../canary.png",
                "../canary.png\0.png", "absolute.png", "relative.png", "chain.png",
                "up/canary.png", "up/../canary.png", "slash" + canary, "magicroot" + canary,
                "good.png/../../../canary.png", "~/canary.png", "file://" + canary,
                "../canary.png [input]", "../canary.png [output]", "good.png [temp]", "", ".", ".."]

    def trace(self, prompts):
        """[(exit status, files that were opened)] of prompts that run in one process."""
        log = os.path.join(self.scratch, "trace")
        files = []
        for number, prompt in enumerate(prompts):
            files.append(os.path.join(self.scratch, "prompts", str(number)))
            write(files[-1], json.dumps(prompt).encode())
        commands = "".join(json.dumps(["run", "--prompt", name]) + "\n" for name in files)
        done = subprocess.run(
            ["strace", "-f", "-y", "-s", "4096", "-e", "trace=%file,creat", "-o", log, WORKER,
             "batch", "--workspace", self.work, "--log-level", "error"],
            input=commands, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        exits = [json.loads(line)["exit"] for line in done.stdout.splitlines()
                 if '"exit"' in line]
        self.assertEqual(len(exits), len(prompts))
        with open(log, encoding="utf-8", errors="replace") as stream:
            found = [OPENED.search(line.rstrip()) for line in stream]
        opened = [match.group(1) for match in found if match]
        # Each prompt begins where its own file is opened.
        begins = [opened.index(name) for name in files] + [len(opened)]
        return [(status, opened[a + 1:b]) for status, a, b in zip(exits, begins, begins[1:])]

    def load(self, class_type, name):
        inputs = {"image": name}
        if class_type == "LoadImageMask":
            inputs["channel"] = "red"
        loaded = {"1": {"class_type": class_type, "inputs": inputs}}
        link = ["1", 0]
        if class_type == "LoadImageMask":
            loaded["2"] = {"class_type": "MaskToImage", "inputs": {"mask": link}}
            link = ["2", 0]
        return {**loaded, "9": {"class_type": "PreviewImage", "inputs": {"images": link}}}

    def save(self, prefix):
        return {"1": {"class_type": "EmptyImage", "inputs": {"width": 2, "height": 2,
                                                              "batch_size": 1, "color": 7}},
                "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0],
                                                             "filename_prefix": prefix}}}

    def inside(self, path):
        return path.startswith((self.input + "/", os.path.join(self.work, "output") + "/",
                                os.path.join(self.work, "temp") + "/"))

    def outside(self, opened):
        """Files; a folder on the way to one is opened, too, but holds no byte of anybody's, and a
        name may hold the date, for which the C library reads the time zone."""
        return [path for path in opened if not self.inside(path) and not os.path.isdir(path)
                and not path.startswith(("/usr/share/zoneinfo/", "/etc/localtime"))]

    def test_what_is_inside_is_read(self):
        (status, opened), (mask_status, _) = self.trace(
            [self.load("LoadImage", "good.png"), self.load("LoadImageMask", "good.png")])
        self.assertEqual((status, mask_status), (0, 0))
        self.assertIn(os.path.join(self.input, "good.png"), opened)
        self.assertEqual(self.outside(opened), [])

    def test_nothing_outside_is_opened(self):
        for class_type in ("LoadImage", "LoadImageMask"):
            names = self.hostile()
            self.assertGreaterEqual(len(names), 30)
            results = self.trace([self.load(class_type, name) for name in names])
            for name, (status, opened) in zip(names, results):
                with self.subTest(class_type=class_type, name=name):
                    self.assertNotEqual(status, 0)
                    self.assertEqual(self.outside(opened), [])

    def test_nothing_is_written_outside(self):
        before = self.files()
        names = [name.replace(".png", "") for name in self.hostile()]
        results = self.trace([self.save(name) for name in names])
        for name, (_, opened) in zip(names, results):
            with self.subTest(name=name):
                self.assertEqual(self.outside(opened), [])
        made = self.files() - before
        self.assertEqual({path for path in made if not self.inside(path)}, set())

    def files(self):
        """But this test's own."""
        own = (os.path.join(self.scratch, "prompts") + "/", os.path.join(self.scratch, "trace"))
        found = {os.path.join(folder, name) for folder, _, names in os.walk(self.scratch)
                 for name in names}
        return {path for path in found if not path.startswith(own)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        if not can_trace(folder):
            print("no process may be traced here")
            sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=2)
