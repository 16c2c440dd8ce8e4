# SPDX-License-Identifier: Apache-2.0
"""Three streams with different prompts in each architecture: no frame of another stream, none of
another prompt, every frame from the input whose time it carries (invariants 1 to 4, 6)."""
import os
import signal
import time
import unittest

from harness import BLUR, INVERT, LONG, House, alive, assert_adds_up, main, wait_for

SECONDS = 60 if LONG else 10
KEEP = {"1": {"class_type": "LoadTensor", "inputs": {}},
        "3": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}}}
PROMPTS = {"a": INVERT, "b": BLUR, "c": KEEP}
# Each source counts from its own number, so that another stream's frame shows by its number.
FIRST = {"a": 1, "b": 1000000, "c": 2000000}
SIZE = {"width": 320, "height": 240}


class Architectures(unittest.TestCase):
    def sources(self, house):
        for stream, first in FIRST.items():
            house.source(stream + "-in", "--fps", 30, "--start-number", first,
                         "--width", SIZE["width"], "--height", SIZE["height"])

    def judge(self, house, stream, report, share=0.9):
        for key in ("mismatched", "duplicated", "out_of_order", "unreadable"):
            self.assertEqual(report[key], 0, (stream, key, report))
        self.assertGreaterEqual(report["frames"], SECONDS * 30 * share, (stream, report))
        ticks = report["pts_offset_ticks"]
        self.assertLessEqual(ticks["max"] - ticks["min"], 1, (stream, report))
        self.assertGreaterEqual(report["first_number"], FIRST[stream])
        self.assertLess(report["last_number"], FIRST[stream] + 1000000 - 1)
        assert_adds_up(self, house.status(stream))
        print(stream, {k: report[k] for k in ("frames", "pts_offset_ticks", "latency_ms")})

    def three_streams(self, names, **params):
        with House() as house:
            self.sources(house)
            for stream, prompt in PROMPTS.items():
                answer = house.start(stream, prompt, **SIZE, **params)
                self.assertEqual((answer["config"]["pipeline_type"],
                                  answer["config"]["architecture"]), names)
            for stream in PROMPTS:
                status = house.wait_running(stream)
                self.assertEqual((status["pipeline_type"], status["architecture"]), names)
            checks = {s: house.check(s + "-out", "--seconds", SECONDS) for s in PROMPTS}
            reports = {s: checks[s].finish(SECONDS + 30) for s in PROMPTS}
            for stream, report in reports.items():
                self.judge(house, stream, report)
                self.assertEqual(report["inverted_frames"],
                                 report["frames"] if stream == "a" else 0, (stream, report))
            return {s: house.status(s)["worker"]["pid"] for s in PROMPTS}

    def test_dedicated_workers(self):
        pids = self.three_streams(("ProcessPoolPipeline", "dedicated_worker_per_stream"))
        self.assertEqual(len(set(pids.values())), 3)

    def test_one_shared_worker(self):
        pids = self.three_streams(("Pipeline", "shared_single_process"), dedicated_worker=False)
        self.assertEqual(len(set(pids.values())), 1)

    def test_prompt_workers_switch_between_two_frames(self):
        with House() as house:
            self.sources(house)
            ids, checks = {}, {}
            for stream in PROMPTS:
                answer = house.start(stream, None, use_prompt_worker=True,
                                     prompts=[KEEP, INVERT], **SIZE)
                self.assertEqual(answer["config"]["architecture"], "prompt_per_worker")
                ids[stream] = house.call("GET", "/stream/%s/prompts" % stream)[1]["prompts"]
            before = {stream: house.wait_running(stream) for stream in PROMPTS}
            for stream in PROMPTS:
                checks[stream] = house.check(stream + "-out", "--seconds", SECONDS)
            for stream in PROMPTS:
                wait_for("frames at the reader", lambda: len(checks[stream].frames()) > 15, 10)
            time.sleep(1)  # the last reader still reads what had waited for it
            switches = {stream: [] for stream in PROMPTS}
            until = time.time() + SECONDS - 5
            turn = 0
            while time.time() < until:
                turn += 1
                for stream in PROMPTS:
                    asked = time.time()
                    status, answer = house.call("POST", "/stream/%s/switch-prompt" % stream,
                                                {"prompt_id": ids[stream][turn % 2]})
                    self.assertEqual(status, 200, answer)
                    switches[stream].append((asked, time.time(), bool(turn % 2)))
                time.sleep(max(0, 1 - (time.time() - switches["a"][-1][0])))
            reports = {s: checks[s].finish(SECONDS + 30) for s in PROMPTS}
            slowest = 0
            for stream, report in reports.items():
                self.judge(house, stream, report)
                frames = checks[stream].frames()
                # At its start a stream leaves out some of what came while it got ready.
                numbers = [f["number"] for f in frames if f["arrival"] > switches[stream][0][0]]
                gaps = [b - a for a, b in zip(numbers, numbers[1:])]
                self.assertLessEqual(max(gaps), 3, "a switch left a gap")
                made = switches[stream] + [(frames[-1]["arrival"], 0, False)]
                for (asked, answered, inverted), following in zip(made, made[1:]):
                    slowest = max(slowest, answered - asked)
                    mine = [f for f in frames if answered <= f["arrival"] < following[0]]
                    self.assertGreater(len(mine), 5, stream)
                    self.assertEqual([f for f in mine if f["inverted"] != inverted], [], stream)
                status = house.status(stream)
                for key in ("passed_through", "repeated"):
                    self.assertEqual(status[key], before[stream][key], (stream, key))
                self.assertEqual(status["worker"]["restarts"], 0)
            print("%d switches, the slowest %.0f ms" % (3 * turn, slowest * 1e3))

    def test_a_shared_worker_that_dies_is_replaced_for_all(self):
        with House() as house:
            self.sources(house)
            for stream, prompt in PROMPTS.items():
                house.start(stream, prompt, dedicated_worker=False, **SIZE)
            completed = {}
            for stream in PROMPTS:
                completed[stream] = house.wait_running(stream)["account"]["completed"]
            shared = house.status("a")["worker"]["pid"]
            os.kill(shared, signal.SIGKILL)
            for stream in PROMPTS:
                wait_for(stream + " to go on",
                         lambda: house.status(stream)["worker"]["pid"] not in (None, shared) and
                         house.status(stream)["account"]["completed"] > completed[stream] + 30, 10)
                assert_adds_up(self, house.status(stream))
            self.assertFalse(alive(shared))
            self.assertEqual(len({house.status(s)["worker"]["pid"] for s in PROMPTS}), 1)
            self.assertEqual(house.call("POST", "/stream/stop")[0], 200)


if __name__ == "__main__":
    main()
