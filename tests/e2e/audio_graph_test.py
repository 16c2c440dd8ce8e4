# SPDX-License-Identifier: Apache-2.0
"""Audio that goes through the graph: changed as the graph says, in sync with its video, while the
prompt comes and goes."""
import array
import cmath
import math
import subprocess
import time
import unittest

from audio_test import Recording, codecs, probe
from harness import INVERT, LONG, House, assert_adds_up, main, wait_for

RATE = 48000
SECONDS = 60 if LONG else 8
TOLERANCE = 0.020  # seconds
TICKS = "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=2 ! "


def sounding(semitones=None, length=200):
    """The pictures inverted, and the sound as it is or shifted."""
    nodes = {**INVERT, "a1": {"class_type": "LoadAudioTensor", "inputs": {"buffer_size": length}},
             "a3": {"class_type": "SaveAudioTensor", "inputs": {"audio": ["a1", 0]}}}
    if semitones is not None:
        nodes["a2"] = {"class_type": "PitchShifter",
                       "inputs": {"audio": ["a1", 0], "pitch_shift": semitones}}
        nodes["a3"]["inputs"]["audio"] = ["a2", 0]
    return nodes


def sound(path):
    """(when it begins on the file's own clock, mono samples without gaps from there on)."""
    begins = float(probe(path, "-select_streams", "a:0", "-show_entries",
                         "stream=start_time")["streams"][0]["start_time"])
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-af",
                          "aresample=async=1000:min_hard_comp=0.01", "-ac", "1", "-ar", str(RATE),
                          "-f", "s16le", "-"], capture_output=True, timeout=120).stdout
    return begins, array.array("h", raw[:len(raw) // 2 * 2])


def onsets(path):
    """When a sound begins after half a second without any, in seconds."""
    begins, samples = sound(path)
    found, last = [], -RATE
    for i, sample in enumerate(samples):
        if abs(sample) > 4000:
            if i - last > RATE // 2:
                found.append(begins + i / RATE)
            last = i
    return found


def loudness(samples, hertz):
    turn = cmath.exp(-2j * math.pi * hertz / RATE)
    total, angle = 0, 1
    for sample in samples:
        total += sample * angle
        angle *= turn
    return 2 * abs(total) / len(samples)


def apart(one, other):
    """Two offsets of things that repeat each second."""
    difference = (one - other) % 1.0
    return min(difference, 1.0 - difference)


def add_ticks(house, video, channel):
    return house.run("gst-launch-1.0", "-q", "mpegtsmux", "name=mux", "!", "tricklesink",
                     "location=" + house.channel(channel),
                     "tricklesrc", "location=" + house.channel(video), "!", "tsdemux", "!",
                     "h264parse", "config-interval=-1", "!", "mux.",
                     *(TICKS + "avenc_aac bitrate=96000 ! mux.").split())


class AudioGraph(unittest.TestCase):
    def test_sound_stays_with_its_pictures(self):
        with House() as house:
            house.source("a-video", "--fps", 30)
            add_ticks(house, "a-video", "a-in")
            before = Recording(house, "a-in")
            house.start("a", sounding())
            house.wait_running("a", 20)
            wait_for("sound in the graph",
                     lambda: house.status("a")["audio"]["processed"] > 2, 20)
            after = Recording(house, "a-out")
            checks = [house.check(c, "--seconds", SECONDS) for c in ("a-in", "a-out")]
            for check in checks:
                check.program.wait(SECONDS + 30)
            status = house.status("a")
            numbers = {f["number"]: f["pts"] for f in checks[0].frames()}
            video = [(f["pts"] - numbers[f["number"]]) / 90000 for f in checks[1].frames()
                     if f["number"] in numbers]
            self.assertGreater(len(video), 20)
            ticks_in, ticks_out = onsets(before.path()), onsets(after.path())
            self.assertGreater(len(ticks_out), SECONDS - 3)
            # Each tick is one of those that came in, moved as the pictures are.
            worst = max(min(apart(out - into, video[0]) for into in ticks_in[1:])
                        for out in ticks_out[1:])
            self.assertLess(worst, TOLERANCE)
            self.assertEqual(codecs(after.path()), ["h264", "opus"])
            self.assertEqual(status["audio"]["dropped"], 0)
            assert_adds_up(self, status)
            print("%d ticks, %.1f ms apart at most, %s" % (len(ticks_out), worst * 1000,
                                                           status["audio"]))

    def publish_tone(self, house, channel):
        return house.run("ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i",
                         "testsrc=size=320x240:rate=30", "-f", "lavfi", "-i",
                         "sine=frequency=440:sample_rate=48000", "-af", "volume=4", "-c:v",
                         "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30",
                         "-pix_fmt", "yuv420p", "-c:a", "aac", "-t", "120", "-f", "mpegts",
                         "-method", "POST", house.channel(channel) + "/0")

    def recorded(self, house, channel, seconds):
        recording = Recording(house, channel)
        time.sleep(seconds)
        recording.program.process.terminate()
        recording.program.wait(10)
        return recording.path(), recording

    def test_the_prompt_says_what_becomes_of_it(self):
        with House() as house:
            self.publish_tone(house, "a-in")
            house.start("a", INVERT)
            house.wait_running("a", 20)
            path, _kept = self.recorded(house, "a-out", 4)
            self.assertEqual(codecs(path), ["h264", "aac"])
            for semitones, hertz in ((4.0, 440 * 2 ** (4 / 12)), (12.0, 880.0)):
                status, answer = house.update("a", sounding(semitones))
                self.assertEqual(status, 200, answer)
                processed = house.status("a")["audio"]["processed"]
                wait_for("shifted sound", lambda n=processed:
                         house.status("a")["audio"]["processed"] > n + 10, 20)
                path, _kept = self.recorded(house, "a-out", 5)
                self.assertEqual(codecs(path), ["h264", "opus"])
                middle = sound(path)[1][-2 * RATE:-RATE]
                self.assertGreater(loudness(middle, hertz), 20 * loudness(middle, 440), semitones)
                self.assertGreater(loudness(middle, hertz), 2000)
            status, answer = house.update("a", INVERT)
            self.assertEqual(status, 200, answer)
            time.sleep(2)
            path, _kept = self.recorded(house, "a-out", 4)
            self.assertEqual(codecs(path), ["h264", "aac"])

    def test_sound_goes_on_while_the_worker_is_replaced(self):
        with House() as house:
            self.publish_tone(house, "a-in")
            house.start("a", sounding(12.0))
            house.wait_running("a", 20)
            wait_for("shifted sound",
                     lambda: house.status("a")["audio"]["processed"] > 5, 20)
            recording = Recording(house, "a-out")
            time.sleep(2)
            status, answer = house.call("POST", "/stream/a/restart-worker")
            self.assertEqual(status, 200, answer)
            processed = house.status("a")["audio"]["processed"]
            wait_for("shifted sound again", lambda:
                     house.status("a")["audio"]["processed"] > processed + 15, 20)
            recording.program.process.terminate()
            recording.program.wait(10)
            _, samples = sound(recording.path())
            # No second is silent: what the graph did not get left as it came.
            start = next(i for i, sample in enumerate(samples) if abs(sample) > 2000)
            for second in range((len(samples) - start) // RATE):
                part = samples[start + second * RATE:start + (second + 1) * RATE]
                self.assertGreater(loudness(part, 880) + loudness(part, 440), 1000, second)
            assert_adds_up(self, house.status("a"))


if __name__ == "__main__":
    main()
