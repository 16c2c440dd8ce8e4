# SPDX-License-Identifier: Apache-2.0
"""Audio comes out with the offset to its video that it came in with, whatever the worker does.

Pictures are known by the numbers in them, audio units by the hash of their bytes: both sides of the
stream are recorded, and the way from the time that went in to the time that came out is compared.
"""
import collections
import json
import os
import random
import signal
import subprocess
import tempfile
import time
import unittest

from harness import INVERT, LONG, House, assert_adds_up, main, wait_for

SECONDS = 600 if LONG else 20
TOLERANCE_TICKS = 20 * 90  # 20 ms
# Noise, so that no two units are the same.
NOISE = "audiotestsrc is-live=true wave=white-noise ! audio/x-raw,rate=48000,channels=2 ! "


def probe(path, *entries):
    text = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *entries, path], check=True,
                          capture_output=True, text=True, timeout=120).stdout
    return json.loads(text)


def audio_units(path):
    """The times in ticks of each unit, by its hash."""
    packets = probe(path, "-select_streams", "a:0", "-show_data_hash", "md5", "-show_entries",
                    "packet=pts,data_hash")["packets"]
    units = collections.defaultdict(list)
    for packet in packets:
        units[packet["data_hash"]].append(int(packet["pts"]))
    return units


def codecs(path):
    return [s["codec_name"] for s in probe(path, "-show_entries", "stream=codec_name")["streams"]]


class Recording:
    """A channel's bytes in a file, as they come."""

    def __init__(self, house, channel):
        self.file = tempfile.NamedTemporaryFile(suffix=".ts")
        self.program = house.run("gst-launch-1.0", "-q", "tricklesrc",
                                 "location=" + house.channel(channel), "!", "filesink",
                                 "buffer-mode=unbuffered", "location=" + self.file.name)

    def path(self):
        return self.file.name

    def size(self):
        return os.path.getsize(self.file.name)


def add_audio(house, video, channel, encoder):
    """Puts noise beside the pictures of one channel and publishes both on another."""
    return house.run("gst-launch-1.0", "-q", "mpegtsmux", "name=mux", "!", "tricklesink",
                     "location=" + house.channel(channel),
                     "tricklesrc", "location=" + house.channel(video), "!", "tsdemux", "!",
                     "h264parse", "config-interval=-1", "!", "mux.",
                     *(NOISE + encoder + " ! mux.").split())


class Audio(unittest.TestCase):
    def stall_at_random(self, house, stream, seconds):
        """Stops the worker again and again, for a while each; how many times."""
        chance = random.Random(1)
        end = time.monotonic() + seconds
        stalls = 0
        while time.monotonic() < end:
            worker = house.status(stream)["worker"]["pid"]
            os.kill(worker, signal.SIGSTOP)
            time.sleep(chance.uniform(0.05, 0.5))
            os.kill(worker, signal.SIGCONT)
            stalls += 1
            time.sleep(chance.uniform(0.2, 1.5))
        return stalls

    def offsets_of_video(self, before, after):
        numbers = {f["number"]: f["pts"] for f in before if f["number"] is not None}
        return [f["pts"] - numbers[f["number"]] for f in after if f["number"] in numbers]

    def offsets_of_audio(self, before, after):
        known, seen = audio_units(before), audio_units(after)
        return [out - known[unit][0] for unit, times in seen.items()
                if len(known.get(unit, ())) == 1 for out in times], len(known), len(seen)

    def judge(self, video, audio):
        self.assertTrue(video)
        self.assertTrue(audio)
        apart = [max(audio) - min(video), max(video) - min(audio)]
        self.assertLessEqual(max(apart), TOLERANCE_TICKS, (min(video), max(video), min(audio),
                                                           max(audio)))
        return max(apart)

    def test_in_sync_while_the_worker_stalls(self):
        with House() as house:
            house.source("a-video", "--fps", 30)
            add_audio(house, "a-video", "a-in", "avenc_aac bitrate=96000")
            before = Recording(house, "a-in")
            house.start("a", INVERT)
            house.wait_running("a", 20)
            after = Recording(house, "a-out")
            checks = [house.check(c, "--seconds", SECONDS + 5) for c in ("a-in", "a-out")]
            stalls = self.stall_at_random(house, "a", SECONDS)
            for check in checks:
                check.program.wait(30)
            status = house.status("a")
            video = self.offsets_of_video(checks[0].frames(), checks[1].frames())
            audio, units_in, units_out = self.offsets_of_audio(before.path(), after.path())
            apart = self.judge(video, audio)
            # 47 units a second.
            self.assertGreater(len(audio), SECONDS * 47 * 0.9)
            self.assertEqual(codecs(after.path()), ["h264", "aac"])
            assert_adds_up(self, status)
            print("%d stalls, %d pictures, %d of %d audio units, %d ticks apart at most, %s"
                  % (stalls, len(video), units_out, units_in, apart,
                     {k: v for k, v in status["output"].items() if k.startswith("audio")}))

    def publish_with_ffmpeg(self, house, channel, *audio):
        return house.run("ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i",
                         "testsrc=size=320x240:rate=30", *audio, "-c:v", "libx264", "-preset",
                         "ultrafast", "-tune", "zerolatency", "-g", "30", "-pix_fmt", "yuv420p",
                         "-t", "60", "-f", "mpegts", "-method", "POST",
                         house.channel(channel) + "/0")

    def test_a_codec_without_a_place_in_mpeg_ts_comes_out_as_opus(self):
        with House() as house:
            self.publish_with_ffmpeg(house, "a-in", "-f", "lavfi", "-i", "sine=frequency=440",
                                     "-c:a", "eac3")
            house.start("a", INVERT)
            house.wait_running("a", 20)
            after = Recording(house, "a-out")
            wait_for("some output", lambda: after.size() > 300_000, 30)
            self.assertEqual(codecs(after.path()), ["h264", "opus"])

    def test_no_audio_where_there_is_none_or_none_is_wanted(self):
        with House() as house:
            self.publish_with_ffmpeg(house, "a-in")
            self.publish_with_ffmpeg(house, "b-in", "-f", "lavfi", "-i", "sine", "-c:a", "aac")
            house.start("a", INVERT)
            house.start("b", INVERT, audio="none")
            for stream in "ab":
                house.wait_running(stream, 20)
            after = {s: Recording(house, s + "-out") for s in "ab"}
            for stream in "ab":
                wait_for("some output", lambda s=stream: after[s].size() > 300_000, 30)
                self.assertEqual(codecs(after[stream].path()), ["h264"], stream)


if __name__ == "__main__":
    main()
