# SPDX-License-Identifier: Apache-2.0
"""What a graph says of its frames: texts on data_url, events at /data, in order, under the frames'
own numbers and times, and no frame is disturbed."""
import json
import threading
import time
import unittest
import urllib.error
import urllib.request

from harness import House, assert_adds_up, main, wait_for

ARCHITECTURES = {"dedicated": {}, "shared": {"dedicated_worker": False},
                 "per prompt": {"use_prompt_worker": True}}


def saying(text):
    return {"1": {"class_type": "LoadTensor", "inputs": {}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "3": {"class_type": "SaveTensor", "inputs": {"images": ["2", 0]}},
            "4": {"class_type": "SaveTextTensor", "inputs": {"data": text}}}


class Reader(threading.Thread):
    """Collects what is said, as it comes, until its source ends."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url = url
        self.said = []
        self.comments = 0
        self.content_type = None
        self.start()

    def open(self, url):
        answer = urllib.request.urlopen(url, timeout=30)
        # The one that says that the channel has ended has none.
        self.content_type = answer.headers["Content-Type"] or self.content_type
        return answer


class Events(Reader):
    def run(self):
        with self.open(self.url) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    self.said.append(json.loads(line[6:]))
                if line.startswith(b":"):
                    self.comments += 1


class Lines(Reader):
    """Of a trickle channel, from its first segment on: arrays of strings."""

    def run(self):
        segment, begun = 0, False
        while True:
            try:
                with self.open("%s/%d" % (self.url, segment)) as answer:
                    begun = True
                    if answer.headers.get("Lp-Trickle-Closed"):
                        return
                    for line in answer:
                        self.said += json.loads(line)
                segment += 1
            except urllib.error.HTTPError as error:
                if error.code == 404 and begun:
                    return
                if error.code == 470:
                    if error.headers.get("Lp-Trickle-Closed"):
                        return
                    segment = int(error.headers["Lp-Trickle-Latest"])
                time.sleep(0.02)


class Text(unittest.TestCase):
    def test_lines_and_events_belong_to_their_frames(self):
        for name, params in ARCHITECTURES.items():
            with self.subTest(name), House() as house:
                self.one_stream(house, params)

    def one_stream(self, house, params):
        house.source("a-in", "--fps", 30)
        house.start("a", saying("one\n"), data=house.channel("a-data"), **params)
        lines = Lines(house.channel("a-data"))
        readers = [Events(house.api_url + "/stream/a/data") for _ in range(2)]
        house.wait_running("a")
        check = house.check("a-out", "--seconds", 4)
        wait_for("frames at the reader", lambda: len(check.frames()) > 30, 10)
        status, answer = house.update("a", saying("two"))
        self.assertEqual(status, 200, answer)
        report = check.finish(20)
        frames = check.frames()
        for reader in readers + [lines]:
            wait_for("the last frame's text", lambda: len(reader.said) > 60, 5)
        told = max(len(reader.said) for reader in readers)
        wait_for("the same on the channel", lambda: len(lines.said) >= told, 5)
        status = house.status("a")
        house.stop_stream("a")
        for reader in readers + [lines]:
            reader.join(10)
            self.assertFalse(reader.is_alive(), "its source has ended")
        # The frames are as they are without texts.
        self.assertEqual(report["mismatched"], 0)
        results = [frame for frame in frames if frame["inverted"]]
        self.assertGreater(len(results), 0.95 * len(frames))
        self.assertEqual(status["account"]["failed"] + status["account"]["lost"], 0)
        assert_adds_up(self, status)
        self.assertEqual(status["texts"]["dropped"], 0)
        self.assertEqual(status["texts"]["channel"]["dropped_segments"], 0)
        # In order, first the one text and then the other.
        self.assertEqual(lines.content_type, "application/jsonl")
        for reader in readers:
            self.assertEqual(reader.content_type, "text/event-stream")
        for reader in readers:
            numbers = [said["sequence"] for said in reader.said]
            self.assertEqual(numbers, sorted(set(numbers)))
        all_words = [[said["text"] for said in reader.said] for reader in readers] + [lines.said]
        for words in all_words:
            self.assertEqual(words, ["one"] * words.count("one") + ["two"] * words.count("two"))
            self.assertGreater(words.count("one"), 20)
            self.assertGreater(words.count("two"), 20)
        # All say the same.
        of_first = {said["sequence"]: said for said in readers[0].said}
        for said in readers[1].said:
            self.assertEqual(of_first.get(said["sequence"], said), said)
        self.assert_of_these_frames(results, {said["pts"]: said for said in readers[0].said})

    def assert_of_these_frames(self, frames, said):
        """One constant lies between a text's pts and its frame's, another between the numbers."""
        self.assertGreater(len(frames), 60)
        shifts = [shift for shift in {frames[0]["pts"] - pts for pts in said}
                  if all(frame["pts"] - shift in said for frame in frames)]
        self.assertTrue(shifts, "no constant brings texts and frames together")
        offsets = {shift: {frame["number"] - said[frame["pts"] - shift]["sequence"]
                           for frame in frames} for shift in shifts}
        self.assertTrue(any(len(found) == 1 for found in offsets.values()), offsets)

    def test_who_asks_for_nothing_gets_it(self):
        with House() as house:
            status, _ = house.call("GET", "/stream/none/data")
            self.assertEqual(status, 404)
            house.source("a-in", "--fps", 30)
            house.start("a", saying("x" * 20), max_text_bytes=19)
            reader = Events(house.api_url + "/stream/a/data")
            house.wait_running("a")
            texts = wait_for("texts to be dropped", lambda: self.dropped(house), 5)
            self.assertEqual(texts["passed"], 0)
            self.assertIsNone(texts["channel"])
            house.stop_stream("a")
            reader.join(10)
            self.assertFalse(reader.is_alive())
            self.assertEqual(reader.said, [])
            self.assertGreaterEqual(reader.comments, 1)

    @staticmethod
    def dropped(house):
        texts = house.status("a")["texts"]
        return texts if texts and texts["dropped"] > 5 else None

    def test_a_channel_that_is_away_disturbs_nothing(self):
        with House() as house:
            house.source("a-in", "--fps", 30)
            house.start("a", saying("one"), data="http://127.0.0.1:9/nobody")
            house.wait_running("a")
            check = house.check("a-out", "--seconds", 3, "--expect", "inverted")
            report = check.finish(20)
            self.assertEqual(report["mismatched"], 0)
            self.assertGreater(report["frames"], 75)
            self.assertEqual(house.status("a")["state"], "running")
            began = time.monotonic()
            house.stop_stream("a")
            self.assertLess(time.monotonic() - began, 2.5)


if __name__ == "__main__":
    main()
