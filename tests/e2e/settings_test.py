# SPDX-License-Identifier: Apache-2.0
"""Settings of a stream's worker change live, show in workspace-info and outlive every process."""
import os
import signal
import struct
import tempfile
import unittest
import zlib

from harness import INVERT, House, main, wait_for

FPS = 30
KEYS = ["cwd", "disable_cuda_malloc", "gpu_only", "preview_method"]
# Only a workspace with this picture lets it pass.
PICTURE = {"1": {"class_type": "PrimaryInputLoadImage", "inputs": {}},
           "2": {"class_type": "LoadImage", "inputs": {"image": "mine.png"}},
           "3": {"class_type": "ImageBlend",
                 "inputs": {"image1": ["1", 0], "image2": ["2", 0], "blend_factor": 0.5,
                            "blend_mode": "normal"}},
           "4": {"class_type": "SaveTensor", "inputs": {"images": ["3", 0]}}}


def png(width, height):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + b"\x80" * 3 * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def workspace(folder, picture):
    for name in ("input", "output"):
        os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, "input", picture), "wb") as file:
        file.write(png(8, 8))


class Settings(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = os.path.realpath(folder.name)
        self.mine = os.path.join(self.root, "mine")
        workspace(self.mine, "mine.png")
        workspace(os.path.join(self.root, "others"), "others.png")

    def about(self, house):
        status, answer = house.call("GET", "/stream/a/workspace-info")
        self.assertEqual(status, 200, answer)
        return answer["workspace_info"]

    def goes_on(self, house):
        completed = house.status("a")["account"]["completed"]
        wait_for("processed frames",
                 lambda: house.status("a")["account"]["completed"] > completed + 10, 10)

    def live_settings(self, **architecture):
        with House(daemon_args=("--workspace-root", self.root)) as house:
            house.source("a-in", "--fps", FPS)
            house.start("a", INVERT, gpu_only=True, **architecture)
            house.wait_running("a")
            self.assertEqual(self.about(house)["config_keys"], KEYS)
            self.assertEqual(self.about(house)["config"]["gpu_only"], True)
            self.assertEqual(self.about(house)["config"]["cwd"], None)

            for cwd in (None, "others"):
                status, answer = house.update("a", PICTURE, cwd=cwd)
                self.assertEqual(status, 400, answer)
                self.assertIn("validation_errors", answer)
            status, answer = house.update("a", PICTURE, cwd="mine", preview_method="taesd",
                                          disable_cuda_malloc=False, warmup=True)
            self.assertEqual(status, 200, answer)
            self.assertTrue(answer["parameters_updated"] and answer["warmup_performed"], answer)
            self.goes_on(house)
            status, answer = house.update("a", PICTURE, width=256, height=320)
            self.assertEqual(status, 200, answer)

            wanted = {"cwd": self.mine, "disable_cuda_malloc": False, "gpu_only": True,
                      "preview_method": "taesd"}
            for process in ("worker", "media"):
                pid = house.status("a")[process]["pid"]
                os.kill(pid, signal.SIGKILL)
                wait_for("another " + process,
                         lambda: house.status("a")[process]["pid"] not in (pid, None), 10)
                self.goes_on(house)
                about = self.about(house)
                self.assertEqual(about["workspace_path"], self.mine)
                self.assertEqual(about["config"], wanted)
                self.assertEqual((about["width"], about["height"]), (256, 320))
            if not architecture:
                status, answer = house.call("POST", "/stream/a/restart-worker")
                self.assertEqual(status, 200, answer)
                self.goes_on(house)
                self.assertEqual(self.about(house)["config"], wanted)

    def test_dedicated_worker(self):
        self.live_settings()

    def test_shared_worker(self):
        self.live_settings(dedicated_worker=False)

    def test_prompt_workers(self):
        self.live_settings(use_prompt_worker=True)

    def test_a_cwd_elsewhere_is_refused_and_changes_nothing(self):
        os.symlink("/etc", os.path.join(self.root, "link"))
        with House(daemon_args=("--workspace-root", self.root)) as house:
            house.source("a-in", "--fps", FPS)
            house.start("a", INVERT)
            house.wait_running("a")
            for cwd in ("..", "/etc", "mine/../..", "link", "none", "mine/input", "", 7):
                status, answer = house.update("a", INVERT, cwd=cwd)
                self.assertEqual(status, 400, (cwd, answer))
                self.assertIn("parameters.cwd", answer["error"])
            self.assertEqual(house.status("a")["prompt_revision"], 1)
            self.assertEqual(self.about(house)["config"]["cwd"], None)

    def test_without_a_root_a_cwd_is_refused_and_the_servers_workspace_holds(self):
        with House(daemon_args=("--workspace", self.mine)) as house:
            house.source("a-in", "--fps", FPS)
            house.start("a", PICTURE)
            house.wait_running("a")
            self.assertEqual(self.about(house)["workspace_path"], self.mine)
            status, answer = house.update("a", PICTURE, cwd=self.mine)
            self.assertEqual(status, 400, answer)
            self.assertIn("--workspace-root", answer["error"])


if __name__ == "__main__":
    main()
