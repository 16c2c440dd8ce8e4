# SPDX-License-Identifier: Apache-2.0
"""framelock-worker with nodes from shared objects.

Usage: nodes_test.py WORKER FOLDER EXAMPLE CMAKE GENERATOR. FOLDER holds the test libraries, EXAMPLE is
examples/nodes, which is built here as others would.
"""
import array
import json
import os
import subprocess
import sys
import tempfile
import unittest

WORKER, FOLDER, EXAMPLE, CMAKE, GENERATOR = sys.argv[1:]
PIXELS = [0.0, 0.25, 0.5, 0.75, 1.0, 0.5] * 4  # 2 rows of 4 pixels


def prompt(class_type, **inputs):
    return {"1": {"class_type": "LoadTensor", "inputs": {}},
            "2": {"class_type": class_type, "inputs": {"image": ["1", 0], **inputs}},
            "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}


class Nodes(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def path(self, name):
        return os.path.join(self.scratch, name)

    def worker(self, *words, stdin=""):
        return subprocess.run([WORKER, *words], input=stdin, capture_output=True, text=True,
                              timeout=60)

    def run_prompt(self, folder, graph):
        """(the worker's end, the floats that came out or [])."""
        with open(self.path("in.f32"), "wb") as stream:
            array.array("f", PIXELS).tofile(stream)
        done = self.worker("run", "--nodes", folder, "--prompt", "-", "--input",
                           self.path("in.f32"), "--shape", "1,2,4,3", "--output",
                           self.path("out.f32"), stdin=json.dumps(graph))
        if done.returncode != 0:
            return done, []
        with open(self.path("out.f32"), "rb") as stream:
            return done, list(array.array("f", stream.read()))

    def assert_pixels(self, folder, graph, expected):
        done, pixels = self.run_prompt(folder, graph)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(pixels), len(expected))
        for got, wanted in zip(pixels, expected):
            self.assertAlmostEqual(got, wanted, places=6)

    def test_computes_pixels(self):
        self.assert_pixels(FOLDER, prompt("TestGain", gain=0.5, **{"from": "zero"}),
                           [pixel * 0.5 for pixel in PIXELS])
        self.assert_pixels(FOLDER, prompt("TestGain", gain=0.5, **{"from": "one"}),
                           [1 - (1 - pixel) * 0.5 for pixel in PIXELS])

    def test_a_failure_is_the_nodes_own(self):
        done, _ = self.run_prompt(FOLDER, prompt("TestBroken"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["failed"],
                         {"node_id": "2", "class_type": "TestBroken",
                          "message": "the fuse is gone"})

    def test_prompts_are_validated(self):
        graph = prompt("TestGain", gain=5, **{"from": "nowhere"})
        done = self.worker("validate", "--nodes", FOLDER, "--prompt", "-", stdin=json.dumps(graph))
        self.assertEqual(done.returncode, 1)
        errors = json.loads(done.stdout)["node_errors"]["2"]["errors"]
        self.assertEqual([error["type"] for error in errors],
                         ["value_bigger_than_max", "value_not_in_list"])

    def test_lists_them_as_built_in_ones(self):
        for words in (["nodes", "--nodes", FOLDER], ["--nodes", FOLDER, "nodes"]):
            done = self.worker(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            info = json.loads(done.stdout)["TestGain"]
            self.assertEqual(info["input"]["required"]["gain"],
                             ["FLOAT", {"default": 1.0, "min": 0.0, "max": 4.0, "step": 0.25,
                                        "tooltip": "how much"}])
            self.assertEqual(info["input"]["required"]["from"][1]["options"], ["zero", "one"])
            self.assertEqual((info["output"], info["display_name"], info["python_module"]),
                             (["IMAGE"], "Test Gain", "custom_nodes.good"))

    def test_bad_files_are_named_and_lose_nothing_else(self):
        with open(self.path("broken.so"), "w") as stream:
            stream.write("no library")
        with open(self.path("notes.txt"), "w") as stream:
            stream.write("nobody looks at this")
        done = self.worker("nodes", "--nodes", self.scratch, "--nodes", FOLDER)
        self.assertEqual(done.returncode, 0, done.stderr)
        classes = json.loads(done.stdout)
        self.assertIn("TestGain", classes)
        self.assertNotIn("TestBeside", classes)
        self.assertEqual(classes["ImageInvert"]["python_module"],
                         json.loads(self.worker("nodes").stdout)["ImageInvert"]["python_module"])
        self.assertIn("broken.so: ", done.stderr)
        self.assertIn("other_version.so: it exports no framelock_nodes_v1", done.stderr)
        self.assertIn("taken.so: class ImageInvert: there is one of that name", done.stderr)
        self.assertNotIn("good.so", done.stderr)
        self.assertNotIn("notes.txt", done.stderr)

    def test_a_folder_that_is_not_there_is_a_wrong_command_line(self):
        done = self.worker("nodes", "--nodes", self.path("lost"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--nodes %s: No such file" % self.path("lost"), done.stderr)

    def test_the_example(self):
        for words in ([CMAKE, "-G", GENERATOR, "-S", EXAMPLE, "-B", self.path("build"),
                       "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"],
                      [CMAKE, "--build", self.path("build")]):
            done = subprocess.run(words, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = [pixel * (1 if i < 12 else 0.25) for i, pixel in enumerate(PIXELS)]
        columns = [pixel * (1 if i // 3 % 2 == 0 else 0.25) for i, pixel in enumerate(PIXELS)]
        for direction, expected in (("rows", rows), ("columns", columns)):
            self.assert_pixels(self.path("build"),
                               prompt("Scanlines", strength=0.75, direction=direction), expected)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
