# SPDX-License-Identifier: Apache-2.0
"""The size of the graph's input changes live: no stop, no wrong frame, one segment's gap at most."""
import os
import signal
import time
import unittest

from harness import BLUR, INVERT, House, assert_adds_up, main, wait_for

FPS = 30
GOP_SECONDS = 2
# Asked for one after the other, each with another prompt.
CHANGES = [(BLUR, 768, 432), (INVERT, 512, 512), (BLUR, 768, 432), (INVERT, 512, 512)]


class Sizes(unittest.TestCase):
    def test_512_to_768x432_and_back(self):
        with House() as house:
            house.source("a-in", "--fps", FPS, "--stamp-in-middle")
            house.start("a", INVERT, width=512, height=512, gop_seconds=GOP_SECONDS)
            before = house.wait_running("a")
            check = house.check("a-out", "--seconds", 4 * len(CHANGES) + 3, "--fps", FPS,
                                "--stamped-middle", 512, 512)
            wait_for("frames at the reader", lambda: len(check.frames()) > 60, 20)
            answered = []
            for prompt, width, height in CHANGES:
                status, answer = house.update("a", prompt, width=width, height=height)
                answered.append(time.time())
                self.assertEqual(status, 200, answer)
                self.assertTrue(answer["parameters_updated"], answer)
                now = house.status("a")
                self.assertEqual((now["width"], now["height"]), (width, height))
                time.sleep(4)
            report = check.finish(30)
            self.assertEqual(report["mismatched"], 0, report)
            frames = check.frames()

            # Each picture is one that was, or one that is to be, and of its own input's time.
            wanted = [("512x512", True)] + [("%dx%d" % (w, h), p is INVERT) for p, w, h in CHANGES]
            seen = [(f["size"], f["inverted"]) for f in frames]
            turns = [seen[0]] + [b for a, b in zip(seen, seen[1:]) if a != b]
            self.assertEqual(turns, wanted)
            numbers = [f["number"] for f in frames]
            self.assertNotIn(None, numbers)
            self.assertEqual(numbers, sorted(set(numbers)))

            gaps = []
            for i, at in enumerate(answered):
                first = next(n for n, f in enumerate(frames)
                             if f["arrival"] > at - 1 and (f["size"], f["inverted"]) == wanted[i + 1])
                gaps.append((frames[first]["arrival"] - frames[first - 1]["arrival"],
                             frames[first]["number"] - frames[first - 1]["number"]))
                older = [f for f in frames if f["arrival"] > at + 0.1
                         and (i + 1 == len(answered) or f["arrival"] < answered[i + 1] - 0.5)
                         and f["size"] != wanted[i + 1][0]]
                self.assertEqual(older, [])
            self.assertLessEqual(max(gap for gap, _ in gaps), GOP_SECONDS)

            after = house.status("a")
            assert_adds_up(self, after)
            self.assertEqual(after["worker"]["pid"], before["worker"]["pid"])
            self.assertEqual(after["media"]["pid"], before["media"]["pid"])
            self.assertEqual(after["account"]["failed"], 0)
            print("longest gap at a change %.0f ms, %d frames left out"
                  % (max(gap for gap, _ in gaps) * 1e3, max(step for _, step in gaps) - 1))

    def test_a_size_outlives_worker_and_media_process(self):
        with House() as house:
            house.source("a-in", "--fps", FPS)
            house.start("a", INVERT)
            house.wait_running("a")
            status, answer = house.update("a", INVERT, width=256, height=320)
            self.assertEqual(status, 200, answer)
            for process in ("worker", "media"):
                pid = house.status("a")[process]["pid"]
                os.kill(pid, signal.SIGKILL)
                wait_for("another " + process,
                         lambda: house.status("a")[process]["pid"] not in (pid, None), 10)
                completed = house.status("a")["account"]["completed"]
                wait_for("processed frames",
                         lambda: house.status("a")["account"]["completed"] > completed + 10, 10)
                check = house.check("a-out", "--seconds", 1)
                check.finish(20)
                self.assertEqual({f["size"] for f in check.frames()[5:]}, {"256x320"})

    def test_an_unusable_size_changes_nothing(self):
        with House() as house:
            house.source("a-in", "--fps", FPS)
            house.start("a", INVERT)
            house.wait_running("a")
            for width in (15, 4097, 0, -512, "wide", 512.5, [512], 10 ** 30):
                status, answer = house.update("a", BLUR, width=width)
                self.assertEqual(status, 400, (width, answer))
                self.assertIn("parameters.width", answer["error"])
            after = house.status("a")
            self.assertEqual((after["width"], after["height"]), (512, 512))
            self.assertEqual(after["prompt_revision"], 1)


if __name__ == "__main__":
    main()
