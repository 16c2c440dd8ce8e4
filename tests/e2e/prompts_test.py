# SPDX-License-Identifier: Apache-2.0
"""Prompts change live: no stale frame after the answer, no gap, no warm-up frame (invariant 4)."""
import os
import time
import unittest

from harness import BIN, BLUR, INVERT, LONG, House, assert_adds_up, intervals, main, wait_for

UPDATES = 20
LOAD_SECONDS = 10 if LONG else 3
BROKEN = {"1": {"class_type": "LoadTensor", "inputs": {}},
          "2": {"class_type": "ImageBlur",
                "inputs": {"image": ["1", 0], "blur_radius": 99, "sigma": 1.0}},
          "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}


class Prompts(unittest.TestCase):
    def test_twenty_updates_in_twenty_seconds(self):
        with House() as house:
            house.source("a-in", "--fps", 30)
            house.start("a", INVERT)
            revision = house.wait_running("a")["prompt_revision"]
            check = house.check("a-out", "--seconds", UPDATES + 4)
            wait_for("frames at the reader", lambda: len(check.frames()) > 30, 10)
            asked, answered = [], []
            for i in range(UPDATES):
                asked.append(time.time())
                status, answer = house.update("a", INVERT if i % 2 else BLUR)
                answered.append(time.time())
                self.assertEqual(status, 200, answer)
                time.sleep(max(0, 1.0 - (time.time() - asked[-1])))
            check.program.wait(40)
            frames = check.frames()
            for i in range(UPDATES):
                until = asked[i + 1] if i + 1 < UPDATES else frames[-1]["arrival"]
                mine = [f for f in frames if answered[i] <= f["arrival"] < until]
                self.assertGreater(len(mine), 10)
                self.assertEqual([f for f in mine if f["inverted"] != bool(i % 2)], [])
            numbers = [f["number"] for f in frames]
            self.assertNotIn(None, numbers)
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertLessEqual(max(b - a for a, b in zip(numbers, numbers[1:])), 2)
            status = house.status("a")
            self.assertEqual(status["prompt_revision"], revision + UPDATES)
            assert_adds_up(self, status)
            print("longest output interval %.0f ms, longest update %.0f ms"
                  % (max(intervals(frames)) * 1e3,
                     max(b - a for a, b in zip(asked, answered)) * 1e3))

    def test_a_rejected_prompt_changes_nothing(self):
        with House() as house:
            house.source("a-in", "--fps", 30)
            house.start("a", INVERT)
            before = house.wait_running("a")
            check = house.check("a-out", "--seconds", 4, "--expect", "inverted")
            wait_for("frames at the reader", lambda: len(check.frames()) > 15, 10)
            began = time.monotonic()
            status, answer = house.update("a", BROKEN)
            self.assertLess(time.monotonic() - began, 1.0)
            self.assertEqual(status, 400, answer)
            self.assertEqual(answer["error"], "Prompt validation failed")
            self.assertEqual([(e["node_id"], e["error_type"]) for e in answer["validation_errors"]],
                             [("2", "value_bigger_than_max")])
            report = check.finish(20)
            self.assertEqual(report["mismatched"], 0)
            self.assertEqual(report["inverted_frames"], report["frames"])
            after = house.status("a")
            self.assertEqual(after["prompt_revision"], before["prompt_revision"])
            self.assertEqual(after["worker"]["pid"], before["worker"]["pid"])

    def test_frames_go_on_while_a_prompt_loads(self):
        slow = {"1": {"class_type": "LoadTensor", "inputs": {}},
                "2": {"class_type": "FaultLoadSleep",
                      "inputs": {"image": ["1", 0], "seconds": LOAD_SECONDS}},
                "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}
        worker = os.path.abspath(os.path.join(BIN, "framelock-worker")) + " --fault-nodes"
        with House(daemon_args=("--worker-command", worker)) as house:
            house.source("a-in", "--fps", 30)
            house.start("a", INVERT)
            before = house.wait_running("a")
            check = house.check("a-out", "--seconds", LOAD_SECONDS + 3)
            wait_for("frames at the reader", lambda: len(check.frames()) > 30, 10)
            asked = time.time()
            status, answer = house.update("a", slow)
            answered = time.time()
            self.assertEqual(status, 200, answer)
            self.assertGreaterEqual(answered - asked, LOAD_SECONDS)
            check.program.wait(40)
            frames = check.frames()
            meanwhile = [f for f in frames if asked < f["arrival"] < asked + LOAD_SECONDS]
            self.assertGreater(len(meanwhile), 28 * LOAD_SECONDS)
            self.assertEqual([f for f in meanwhile if not f["inverted"]], [])
            after = [f for f in frames if f["arrival"] > answered]
            self.assertGreater(len(after), 10)
            self.assertEqual([f for f in after if f["inverted"]], [])
            longest = max(intervals([f for f in frames if f["arrival"] > asked]))
            self.assertLessEqual(longest, 2 / 30 + 0.01)
            numbers = [f["number"] for f in frames]
            self.assertEqual(numbers, sorted(set(numbers)))
            status = house.status("a")
            self.assertEqual(status["worker"]["pid"], before["worker"]["pid"])
            self.assertEqual(status["account"]["failed"] + status["account"]["lost"], 0)
            assert_adds_up(self, status)
            print("longest output interval while a prompt loads for %d s: %.0f ms"
                  % (LOAD_SECONDS, longest * 1e3))


if __name__ == "__main__":
    main()
