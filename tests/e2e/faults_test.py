# SPDX-License-Identifier: Apache-2.0
"""A process dies or hangs: its stream goes on, the others notice nothing (invariants 6 and 7)."""
import os
import signal
import time
import unittest

from harness import (BIN, INVERT, House, alive, assert_adds_up, children_of, intervals, main,
                     wait_for)


def fault(node, **inputs):
    """A graph with one of the worker's fault nodes."""
    return {"1": {"class_type": "LoadTensor", "inputs": {}},
            "2": {"class_type": node, "inputs": {"image": ["1", 0], **inputs}},
            "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}}}


def two_streams(house):
    for stream in "ab":
        house.source(stream + "-in", "--fps", 30)
        house.start(stream, INVERT)
    for stream in "ab":
        house.wait_running(stream)


class Faults(unittest.TestCase):
    def nothing_lost(self, check, hit):
        """From half a second of frames before the fault on, every one came, processed, in order.

        A reader gets its first segment at once, so arrivals would reach back to the start."""
        frames = check.frames()
        frames = frames[sum(f["arrival"] < hit for f in frames) - 15:]
        numbers = [f["number"] for f in frames]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertGreater(len(numbers), 60)
        self.assertEqual([f for f in frames if not f["inverted"]], [])

    def worker_fault(self, number):
        with House() as house:
            two_streams(house)
            checks = {s: house.check(s + "-out", "--seconds", 8) for s in "ab"}
            wait_for("frames at the readers",
                     lambda: all(len(c.frames()) > 60 for c in checks.values()), 10)
            victim = house.status("a")["worker"]["pid"]
            hit = time.time()
            os.kill(victim, number)
            for check in checks.values():
                check.program.wait(30)
            frames = checks["a"].frames()
            longest = max(intervals(frames))
            self.assertLess(longest, 0.5)
            # The source passes through (not inverted) until a new worker runs the prompt.
            raw = [f for f in frames if f["arrival"] > hit and not f["inverted"]]
            processed = [f for f in frames if f["arrival"] > (raw[-1]["arrival"] if raw else hit)]
            back = processed[0]["arrival"] - hit
            self.assertLess(back, 1.5)
            self.assertGreater(len(processed), 60)
            numbers = [f["number"] for f in frames]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.nothing_lost(checks["b"], hit)
            self.assertFalse(alive(victim))
            status = house.status("a")
            assert_adds_up(self, status)
            self.assertNotEqual(status["worker"]["pid"], victim)
            self.assertEqual(house.status("b")["account"]["lost"], 0)
            print("signal %d: processed frames again after %.0f ms, longest output interval %.0f ms"
                  % (number, back * 1e3, longest * 1e3))

    def test_worker_killed(self):
        self.worker_fault(signal.SIGKILL)

    def test_worker_segfaults(self):
        self.worker_fault(signal.SIGSEGV)

    def test_worker_stopped(self):
        self.worker_fault(signal.SIGSTOP)

    def test_worker_killed_again_and_again(self):
        """What ran for a while is no crash loop: each time its successor starts at once."""
        with House() as house:
            house.source("a-in", "--fps", 30)
            house.start("a", INVERT)
            house.wait_running("a")
            check = house.check("a-out", "--seconds", 16)
            wait_for("frames at the reader", lambda: len(check.frames()) > 30, 10)
            hits = []
            for _ in range(4):
                time.sleep(2.5)
                hits.append(time.time())
                os.kill(house.status("a")["worker"]["pid"], signal.SIGKILL)
            check.program.wait(30)
            frames = check.frames()
            backs = []
            for hit in hits:
                after = [f for f in frames if hit < f["arrival"] < hit + 2]
                raw = [f["arrival"] for f in after if not f["inverted"]]
                backs.append(next(f["arrival"] for f in after if f["inverted"] and
                                  f["arrival"] > max(raw, default=hit)) - hit)
            self.assertLess(max(backs), 0.5)
            self.assertEqual(house.status("a")["worker"]["restarts"], 4)
            print("killed four times: processed frames again after %s ms"
                  % ", ".join("%.0f" % (back * 1e3) for back in backs))

    def test_a_slow_graph_is_no_hang_and_a_hung_one_is(self):
        worker = os.path.abspath(os.path.join(BIN, "framelock-worker")) + " --fault-nodes"
        with House(daemon_args=("--worker-command", worker,
                                "--worker-first-frame-timeout-ms", "4000")) as house:
            for stream in "ab":
                house.source(stream + "-in", "--fps", 30)
            # More than the second that a frame may take once it is known what they take.
            house.start("a", fault("FaultSleep", seconds=1.5))
            wait_for("three slow frames",
                     lambda: house.status("a")["account"]["completed"] >= 3, 20)
            self.assertEqual(house.status("a")["worker"]["restarts"], 0)
            house.start("b", fault("FaultHang"), worker_first_frame_timeout_ms=1000)
            hung = wait_for("the hung worker's successor",
                            lambda: house.status("b")["worker"]["restarts"] > 0 and
                            house.status("b"), 10)
            self.assertGreater(hung["account"]["lost"], 0)
            self.assertIn("1000 ms (first-frame-timeout)", hung["last_error"])
            self.assertEqual(house.status("a")["worker"]["restarts"], 0)

    def test_media_process_killed(self):
        with House() as house:
            two_streams(house)
            check = house.check("b-out", "--seconds", 8)
            wait_for("frames at the reader", lambda: len(check.frames()) > 60, 10)
            before = house.status("a")
            hit = time.time()
            os.kill(before["media_pid"], signal.SIGKILL)
            wait_for("a new media process",
                     lambda: house.status("a")["media_pid"] not in (0, None, before["media_pid"]),
                     5)
            self.assertEqual(house.status("a")["worker"]["pid"], before["worker"]["pid"])
            report = house.check("a-out", "--seconds", 3, "--expect", "inverted").finish(20)
            self.assertGreater(report["frames"], 60)
            self.assertEqual(report["mismatched"], 0)
            check.program.wait(30)
            self.nothing_lost(check, hit)

    def test_daemon_killed_leaves_nothing(self):
        with House() as house:
            two_streams(house)
            family = children_of(house.daemon.pid)
            self.assertGreaterEqual(len(family), 4, family)
            os.kill(house.status("a")["worker"]["pid"], signal.SIGSTOP)
            os.kill(house.daemon.pid, signal.SIGKILL)
            time.sleep(1.0)
            self.assertEqual({p: n for p, n in family.items() if alive(p)}, {})


if __name__ == "__main__":
    main()
