# SPDX-License-Identifier: Apache-2.0
"""Each output frame is made from the input frame whose time it carries (invariants 1 to 4)."""
import unittest

from harness import BLUR, INVERT, LONG, House, assert_adds_up, main

SECONDS = 60 if LONG else 10


class Match(unittest.TestCase):
    def judge(self, house, stream, report, polarity):
        for key in ("mismatched", "duplicated", "out_of_order", "unreadable"):
            self.assertEqual(report[key], 0, (key, report))
        self.assertGreaterEqual(report["frames"], SECONDS * 30 * 0.9, report)
        ticks = report["pts_offset_ticks"]
        self.assertLessEqual(ticks["max"] - ticks["min"], 1, report)
        self.assertEqual(report["inverted_frames"],
                         report["frames"] if polarity == "inverted" else 0, report)
        assert_adds_up(self, house.status(stream))
        print(stream, {k: report[k] for k in ("frames", "pts_offset_ticks", "latency_ms")})

    def test_one_stream_matches_frame_by_frame(self):
        with House() as house:
            house.source("a-in", "--fps", 30, "--width", 512, "--height", 512)
            house.start("a", INVERT)
            house.wait_running("a")
            check = house.check("a-out", "--seconds", SECONDS, "--verify-invert",
                                "--source-subscribe", house.channel("a-in"),
                                "--expect", "inverted")
            report = check.finish(SECONDS + 30)
            self.judge(house, "a", report, "inverted")
            self.assertGreater(report["verified_frames"], SECONDS * 30 * 0.8, report)
            self.assertLess(report["max_mean_abs_error"], 6.0, report)

    def test_two_streams_never_mix(self):
        # The sources count from different numbers, so that a frame of the other stream would show
        # both by its number and by its polarity.
        with House() as house:
            house.source("a-in", "--fps", 30, "--start-number", 1)
            house.source("b-in", "--fps", 30, "--start-number", 1000000)
            house.start("a", INVERT)
            house.start("b", BLUR)
            house.wait_running("a")
            house.wait_running("b")
            checks = {s: house.check(s + "-out", "--seconds", SECONDS) for s in "ab"}
            reports = {s: checks[s].finish(SECONDS + 30) for s in "ab"}
            self.judge(house, "a", reports["a"], "inverted")
            self.judge(house, "b", reports["b"], "plain")
            self.assertLess(reports["a"]["last_number"], 1000000)
            self.assertGreaterEqual(reports["b"]["first_number"], 1000000)


if __name__ == "__main__":
    main()
