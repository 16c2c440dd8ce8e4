# SPDX-License-Identifier: Apache-2.0
"""What a live input does to a stream: it pauses, breaks, restarts, jumps and changes.

Whatever it does, frames flow again within a keyframe interval and 200 ms of its return, the
output's time never goes back, each frame has the time of the input frame it was made from, none
comes twice, and all are accounted for.
"""
import bisect
import os
import signal
import tempfile
import time
import unittest

import live_ts
from harness import INVERT, LONG, House, assert_adds_up, main, wait_for

GOP = 1.0
LIMIT = GOP + 0.2
FPS = 30
SIZE = ("--width", "256", "--height", "256")
PARAMS = {"width": 256, "height": 256, "gop_seconds": 1}


def signed(ticks):
    """The shorter way round the 33 bits of a time stamp."""
    return (ticks + live_ts.RANGE // 2) % live_ts.RANGE - live_ts.RANGE // 2


def longest_silence(frames, since, until):
    """The longest time without a frame, of that after `since`."""
    times = [since] + [f["arrival"] for f in frames if since < f["arrival"] < until] + [until]
    return max(b - a for a, b in zip(times, times[1:]))


class MediaTest(unittest.TestCase):
    def judge_output(self, frames):
        """Readable, in order, none twice, time rising, all made by the graph."""
        self.assertNotIn(None, [f["number"] for f in frames])
        for a, b in zip(frames, frames[1:]):
            self.assertGreater(b["number"], a["number"])
            self.assertGreater(signed(b["pts"] - a["pts"]), 0, (a, b))
        self.assertEqual([f for f in frames if not f["inverted"]], [])

    def offsets(self, frames, pts_of):
        """From the input's time to the output's, one for each frame whose input is known."""
        return [signed(f["pts"] - pts_of[f["number"]]) for f in frames if f["number"] in pts_of]

    def assert_one_offset(self, offsets, what):
        self.assertTrue(offsets, what)
        self.assertLessEqual(max(offsets) - min(offsets), 1, what)

    def flows_again(self, what, frames, since, until):
        silence = longest_silence(frames, since, until)
        print("%s: %.0f ms without a frame" % (what, silence * 1e3))
        self.assertLessEqual(silence, LIMIT, what)
        return silence


class Connections(MediaTest):
    """One stream whose source, relay and connections fail one after the other."""

    def run_stream(self, house, proxies):
        source = house.run("framelock-demo-source", "--publish", proxies["source"].url + "/a-in",
                           "--fps", FPS, *SIZE)
        house.start("a", INVERT, source=proxies["input"].url + "/a-in",
                    sink=proxies["output"].url + "/a-out", **PARAMS)
        house.wait_running("a")
        checks = [house.check(c, "--seconds", "3600") for c in ("a-in", "a-out")]
        wait_for("frames at the readers", lambda: all(len(c.frames()) > 20 for c in checks), 10)
        return source, checks

    def pause(self, source, seconds):
        os.kill(source.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(source.pid, signal.SIGCONT)
        return time.time()

    def test_pauses_and_breaks(self):
        with House() as house:
            proxies = {name: live_ts.Proxy(house.relay_url)
                       for name in ("source", "input", "output")}
            self.addCleanup(lambda: [p.close() for p in proxies.values()])
            source, (before, after) = self.run_stream(house, proxies)

            def reset(name):
                self.assertGreater(proxies[name].reset(), 0, name)
                return time.time()

            rows = [("upstream gap of %.1f s" % gap, lambda gap=gap: self.pause(source, gap))
                    for gap in ((0.5, 5, 60) if LONG else (0.5, 5))]
            rows += [("reset of the subscriber's connections", lambda: reset("input")),
                     ("reset of the source's connections", lambda: reset("source")),
                     ("reset of the publisher's connections", lambda: reset("output"))]
            rows += [("relay restart, %.1f s away" % away,
                      lambda away=away: house.restart_relay(away))
                     for away in ((0.2, 1, 30) if LONG else (0.2,))]
            events = []
            for what, act in rows:
                begun = time.time()
                returned = act()
                time.sleep(2.0)
                events.append((what, begun, returned, time.time()))
            status = house.status("a")
            frames, inputs = after.frames(), before.frames()
            for what, _, returned, until in events:
                self.flows_again(what, frames, returned, until)
            self.judge_output(frames)
            pts_in = {f["number"]: f["pts"] for f in inputs}
            self.assert_one_offset(self.offsets(frames, pts_in), "one clock throughout")
            # What was lost, was lost where something broke.
            numbers = {f["number"] for f in frames}
            begun = [e[1] for e in events]
            for frame in inputs:
                if frame["number"] in numbers or frame["arrival"] > events[-1][3] - 0.5:
                    continue
                i = bisect.bisect(begun, frame["arrival"] + 0.2) - 1
                self.assertTrue(i >= 0 and frame["arrival"] < events[i][2] + LIMIT, frame)
            assert_adds_up(self, status)
            self.assertEqual(status["worker"]["restarts"], 0)
            print("%d of %d frames, %s" % (len(frames), len(inputs), status["input"]))


class Restarts(MediaTest):
    def clip(self, house, folder, first_number, seconds):
        """Each of its segments ends with a picture whose end shows. Without a length, and in front
        of counters that start anew, any other might be torn for all that its reader can know, and
        is withheld; one in 184 is such a picture."""
        path = os.path.join(folder, "%d.ts" % first_number)
        for _ in range(20):
            data = live_ts.record(house, path, "--frames", int(seconds * FPS), "--fps", FPS, *SIZE,
                                  "--start-number", first_number)
            units = live_ts.parse(data, first_number, FPS)
            if not any(b.key and live_ts.ends_unseen(a) for a, b in zip(units, units[1:])):
                return units
        raise AssertionError("no clip whose segments show their ends")

    def test_a_publisher_that_restarts(self):
        """In mid-picture, with and without the reset header; its clock starts at 0 again."""
        with House() as house, tempfile.TemporaryDirectory() as folder:
            channel = house.channel("a-in")
            clips = {number: self.clip(house, folder, number, seconds)
                     for number, seconds in ((0, 20), (10000, 5), (20000, 5))}
            first = live_ts.Publisher(channel, clips[0], first_seq=42)
            first.start()
            house.start("a", INVERT, **PARAMS)
            house.wait_running("a")
            check = house.check("a-out", "--seconds", "3600")
            wait_for("frames at the reader", lambda: len(check.frames()) > 20, 10)
            # So that what the last one leaves behind is in no slot that its successor takes.
            wait_for("segment 45", lambda: first.segment % 5 == 0, 10)
            publishers, events = [first], []
            for number, reset in ((10000, True), (20000, False)):
                units = live_ts.at_time(clips[number], 0)
                publishers[-1].stop()
                seq = live_ts.next_seq(channel) if reset else 0
                publishers.append(live_ts.Publisher(channel, units, first_seq=seq, reset=reset,
                                                    fresh_muxers=True))
                begun = time.time()
                publishers[-1].start()
                time.sleep(2.5)
                events.append(("publisher restart %s reset" % ("with" if reset else "without"),
                               begun, time.time()))
            status = house.status("a")
            for publisher in publishers:
                publisher.stop()
            frames = check.frames()
            for what, begun, until in events:
                self.flows_again(what, frames, begun, until)
            self.judge_output(frames)
            for publisher in publishers:
                pts_of = {unit.number: unit.pts for _, unit in publisher.sent}
                self.assert_one_offset(self.offsets(frames, pts_of), "each one's own clock")
            # Of the new ones all frames, from the first on.
            for publisher, (_, _, until) in zip(publishers[1:], events):
                sent = [u.number for when, u in publisher.sent if when < until - 0.3]
                self.assertEqual(sorted(set(sent) - {f["number"] for f in frames}), [])
            self.assertEqual(status["input"]["epochs"], 3)
            assert_adds_up(self, status)
            print("%d frames, %s" % (len(frames), status["input"]))


class Contents(MediaTest):
    """One publisher that changes its clock and its pictures every second or two."""

    def clips(self, house, folder):
        def clip(name, first_number, seconds, *args, fps=FPS, codec=()):
            path = os.path.join(folder, name + ".ts")
            size = () if "--width" in args else SIZE
            data = live_ts.record(house, path, "--frames", int(seconds * fps), "--fps", fps,
                                  "--start-number", first_number, *size, *args)
            if codec:
                data = live_ts.remux(path, path + ".again", "-an", "-c:v", "libx264", "-g",
                                     str(FPS), "-b:v", "2M", "-preset", "veryfast", *codec)
            return live_ts.parse(data, first_number, fps)
        seconds = 10 if LONG else 2
        return {
            "plain": clip("plain", 0, 5 * seconds),
            "b-frames": clip("b", 10000, seconds,
                             codec=("-bf", "2", "-x264-params", "b-adapt=0:scenecut=0")),
            "variable": clip("vfr", 20000, seconds,
                             codec=("-bf", "0", "-vf", "select=not(n)+mod(n\\,3)+not(mod(n\\,7)-3)",
                                    "-fps_mode", "passthrough", "-x264-params", "scenecut=0")),
            "size": clip("size", 30000, seconds, "--width", "384", "--height", "384"),
            "rate": clip("rate", 40000, seconds, fps=15),
        }

    def acts(self, clips):
        """What happens, and the pictures that are sent meanwhile."""
        plain = clips["plain"]
        fifth = len(plain) // 5
        part = [plain[i * fifth:(i + 1) * fifth] for i in range(5)]
        wrap, hour = live_ts.RANGE, 3600 * live_ts.CLOCK
        line = [("33-bit wrap", part[0], None, wrap - live_ts.CLOCK // 2),
                ("jump by +1 h", part[1], hour, None),
                ("jump by -1 h", part[2], -hour, None),
                ("missing pts", live_ts.without_pts(part[3], 5), 0, None),
                ("damaged picture", live_ts.damaged(part[4], fifth // 4), 0, None),
                ("B-frames", clips["b-frames"], 9000, None),
                ("variable frame rate", clips["variable"], 0, None),
                ("change of size", clips["size"], 0, None),
                ("change of frame rate", clips["rate"], 0, None)]
        acts, end = [], 0
        for name, units, jump, start in line:
            units = live_ts.at_time(units, end + jump if start is None else start)
            end = max(u.pts for u in units) + live_ts.CLOCK // FPS
            acts.append((name, units))
        return acts

    def test_clock_and_pictures(self):
        with House() as house, tempfile.TemporaryDirectory() as folder:
            acts = self.acts(self.clips(house, folder))
            publisher = live_ts.Publisher(house.channel("a-in"),
                                          [u for _, units in acts for u in units])
            house.start("a", INVERT, **PARAMS)
            check = house.check("a-out", "--seconds", "3600")
            publisher.start()
            publisher.join(300)
            self.assertIsNone(publisher.error)
            time.sleep(0.5)
            status = house.status("a")
            frames = check.frames()
        self.judge_acts(acts, publisher.sent, frames, status)

    def judge_acts(self, acts, sent, frames, status):
        self.judge_output(frames)
        when = {unit.number: at for at, unit in sent}
        by_number = {f["number"]: f for f in frames}
        for name, units in acts:
            numbers = [u.number for u in units]
            own = [by_number[n] for n in numbers if n in by_number]
            lost = sorted(set(numbers) - set(by_number))
            self.flows_again(name, frames, when[numbers[0]], when[numbers[-1]])
            print("    %d of %d frames, without %s" % (len(own), len(numbers), lost))
            self.assert_one_offset(self.offsets(own, {u.number: u.pts for u in units}), name)
            # The worker's very first frame may take longer than the next one can wait.
            self.assertLessEqual(len(lost), status["account"]["skipped"], name)
        # Every picture that was sent has an account.
        given, account = status["input"], status["account"]
        print(given, account)
        self.assertEqual(given["pictures"] + given["withheld"] + status["decode_errors"], len(sent))
        self.assertEqual(given["pictures"] - given["undated"], account["inputs"])
        self.assertEqual(given["epochs"], 3)
        assert_adds_up(self, status)


if __name__ == "__main__":
    main()
