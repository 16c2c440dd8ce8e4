# SPDX-License-Identifier: Apache-2.0
"""What is published when the worker is slower than its input, by each policy of params.cadence."""
import os
import statistics
import unittest

from harness import BIN, LONG, House, assert_adds_up, intervals, main, wait_for

SECONDS = 120 if LONG else 12
SETTLED = 3.0  # after the first frame: the rate has been found
FPS_IN = 30
TICKS = 90000 // FPS_IN
WORKER = os.path.abspath(os.path.join(BIN, "framelock-worker")) + " --fault-nodes"


def uneven(fps):
    """A graph that inverts, so many frames a second, each in 70 % to 130 % of the mean time."""
    return {"1": {"class_type": "LoadTensor", "inputs": {}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "3": {"class_type": "FaultPace",
                  "inputs": {"image": ["2", 0], "seconds": 1.0 / fps, "noise": 0.3, "seed": 7,
                             "pause_at": -1, "pause_seconds": 0.0}},
            "4": {"class_type": "SaveTensor", "inputs": {"images": ["3", 0]}}}


def jitter(values):
    return statistics.pstdev(values) / statistics.fmean(values)


class Cadence(unittest.TestCase):
    def run_stream(self, worker_fps, **params):
        """The settled frames at the reader, and the stream's last status."""
        with House(daemon_args=("--worker-command", WORKER)) as house:
            house.source("a-in", "--fps", FPS_IN)
            house.start("a", uneven(worker_fps), **params)
            house.wait_running("a")
            check = house.check("a-out", "--seconds", SECONDS)
            wait_for("the last frame", lambda: check.program.process.poll() is not None,
                     SECONDS + 30)
            status = house.status("a")
            assert_adds_up(self, status)
            self.assertEqual(status["worker"]["restarts"], 0)
            frames = check.frames()
        frames = [f for f in frames if f["arrival"] > frames[0]["arrival"] + SETTLED]
        self.assertNotIn(None, [f["number"] for f in frames])
        # Each frame has its own time.
        offsets = {f["pts"] - f["number"] * TICKS for f in frames}
        self.assertLessEqual(max(offsets) - min(offsets), 1)
        self.spacing = [b["pts"] - a["pts"] for a, b in zip(frames, frames[1:])]
        gaps = intervals(frames)
        print("%s, worker at %d fps: %.2f fps, pts vary by %.2f %%, arrivals by %.2f %%, "
              "longest %.0f ms, latency %s, %s"
              % (params.get("cadence", "default"), worker_fps, (len(frames) - 1) / sum(gaps),
                 100 * jitter(self.spacing), 100 * jitter(gaps), 1e3 * max(gaps),
                 status["latency_ms"], status["cadence"]))
        return frames, status

    def steady(self, worker_fps, divisor):
        frames, status = self.run_stream(worker_fps)
        self.assertEqual([f for f in frames if not f["inverted"]], [])
        self.assertLessEqual(jitter(self.spacing), 0.06)
        self.assertLessEqual(jitter(intervals(frames)), 0.06)
        self.assertEqual(statistics.median(self.spacing), divisor * TICKS)
        self.assertEqual(status["cadence"]["policy"], "steady")
        self.assertEqual(status["cadence"]["divisor"], divisor)
        self.assertLessEqual(status["queues"]["waiting"], 1)

    def test_steady_chooses_every_second_frame(self):
        self.steady(20, 2)

    def test_steady_chooses_every_third_frame(self):
        self.steady(12, 3)

    def test_every_frame_has_its_place(self):
        frames, status = self.run_stream(12, cadence="every")
        numbers = [f["number"] for f in frames]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertEqual({*self.spacing} - {TICKS - 1, TICKS, TICKS + 1}, set())
        processed = sum(f["inverted"] for f in frames)
        self.assertGreater(processed, len(frames) * 0.8 * 12 / FPS_IN)
        self.assertGreater(status["passed_through"], 0)

    def test_as_ready_publishes_what_is_done(self):
        frames, status = self.run_stream(20, cadence="as-ready")
        self.assertEqual([f for f in frames if not f["inverted"]], [])
        numbers = [f["number"] for f in frames]
        self.assertEqual(numbers, sorted(set(numbers)))
        # The worker never rests: more than every second frame.
        self.assertGreater(len(frames), 0.55 * (numbers[-1] - numbers[0]))
        self.assertEqual(status["cadence"], {"policy": "as-ready", "divisor": 1, "budget_ms": 0})


if __name__ == "__main__":
    main()
