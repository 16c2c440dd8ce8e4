# SPDX-License-Identifier: Apache-2.0
"""Every command in README.md is run as it stands there.

A fenced block marked `sh run` is one shell script; `sh run stream` is run against a relay with a
live channel "demo" on the addresses that the README uses. The plain `sh` blocks (quickstart, tests,
servers that run on, building by hand) are what the other tests, and this run itself, begin with.
"""
import os
import re
import subprocess
import unittest

from harness import BIN, House, main, wait_for

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def blocks(kind):
    with open(os.path.join(ROOT, "README.md")) as file:
        return re.findall(r"^```sh %s\n(.*?)^```" % re.escape(kind), file.read(),
                          re.MULTILINE | re.DOTALL)


class Readme(unittest.TestCase):
    def shell(self, script, house):
        script = script.replace("http://127.0.0.1:8470", house.relay_url)
        script = script.replace("ws://127.0.0.1:8470", house.relay_url.replace("http", "ws", 1))
        script = script.replace("http://127.0.0.1:8000", house.api_url)
        bin_dir = os.path.abspath(os.environ.get("FRAMELOCK_BIN", "build/release/bin"))
        script = script.replace("build/release/", os.path.dirname(bin_dir) + "/")
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=ROOT, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, script + done.stdout[-2000:] + done.stderr[-3000:])
        return done.stdout

    def test_commands_alone(self):
        found = blocks("run")
        self.assertGreater(len(found), 2)
        with House() as house:
            for script in found:
                with self.subTest(script):
                    self.shell(script, house)

    def test_commands_on_a_live_channel(self):
        found = blocks("run stream")
        self.assertGreater(len(found), 3)
        with House() as house:
            house.source("demo", "--fps", 30)
            check = house.check("demo", "--frames", 5)
            wait_for("the live channel", lambda: check.program.process.poll() is not None, 15)
            for script in found:
                with self.subTest(script):
                    self.shell(script, house)

    def test_names_the_elements_and_programs_that_exist(self):
        with open(os.path.join(ROOT, "README.md")) as file:
            text = file.read()
        for element in ("tricklesrc", "tricklesink", "websocketsrc", "websocketsink",
                        "workerfilter"):
            self.assertIn("`%s`" % element, text)
            subprocess.run(["gst-inspect-1.0", element], check=True, timeout=30,
                           capture_output=True)
        for program in ("framelockd", "framelock-relay", "framelock-stream", "framelock-worker"):
            self.assertIn("`%s`" % program, text)
            subprocess.run([os.path.join(BIN, program), "--help"], check=True, timeout=10,
                           capture_output=True)


if __name__ == "__main__":
    main()
