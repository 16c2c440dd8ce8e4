# SPDX-License-Identifier: Apache-2.0
"""After a stop nothing is left: process, descriptor, thread, memory map, channel (invariant 9)."""
import json
import time
import unittest
import urllib.request

from harness import INVERT, LONG, House, children_of, footprint, main, wait_for

CYCLES = 200 if LONG else 12


class Leaks(unittest.TestCase):
    def channels(self, house):
        with urllib.request.urlopen(house.relay_url + "/_status", timeout=5) as answer:
            return sorted(c["name"] for c in json.load(answer)["channels"])

    def baseline(self, house):
        """Waits until the pool holds its spare again, then measures.

        The least of several looks: the source opens and closes connections to the relay all the
        time, and this test's own request may be one of the daemon's descriptors.
        """
        wait_for("the pool to be full", lambda: len(children_of(house.daemon.pid)) == 1, 10)
        least = {}
        for _ in range(25):
            for who, program in (("daemon", house.daemon), ("relay", house.relay)):
                for what, count in footprint(program.pid).items():
                    least[who, what] = min(count, least.get((who, what), count))
            time.sleep(0.04)
        return least, self.channels(house)

    def test_start_stop_cycles_return_to_the_baseline(self):
        with House() as house:
            house.source("a-in", "--fps", 30)
            wait_for("the source's channel", lambda: self.channels(house) == ["a-in"], 10)

            def cycle(stream, until_running):
                house.start(stream, INVERT, source=house.channel("a-in"),
                            sink=house.channel("a-out"))
                if until_running:
                    house.wait_running(stream)
                house.stop_stream(stream)

            for i in range(4):  # warms allocators, caches and connection pools
                cycle("warm%d" % i, i % 2 == 0)
            before = self.baseline(house)
            for i in range(CYCLES):
                cycle("s%d" % i, i % 4 == 0)
            self.assertEqual(self.baseline(house), before)
            self.assertEqual(house.call("GET", "/streams")[1]["count"], 0)


if __name__ == "__main__":
    main()
