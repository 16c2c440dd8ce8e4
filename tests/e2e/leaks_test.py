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
        """With no source and the pool holding its spare again: the least of several looks, because
        this test's own request may be one of the daemon's descriptors."""
        # A worker and a media process are kept ready.
        wait_for("the pool to be full", lambda: len(children_of(house.daemon.pid)) == 2, 10)
        wait_for("the channels to end", lambda: self.channels(house) == [], 10)
        least = {}
        for _ in range(25):
            for who, program in (("daemon", house.daemon), ("relay", house.relay)):
                for what, count in footprint(program.pid).items():
                    least[who, what] = min(count, least.get((who, what), count))
            time.sleep(0.04)
        return least

    def cycles(self, house, count, until_running_every):
        source = house.source("a-in", "--fps", 30)
        wait_for("the source's channel", lambda: self.channels(house) == ["a-in"], 10)
        for i in range(count):
            house.start("s%d" % i, INVERT, source=house.channel("a-in"),
                        sink=house.channel("a-out"))
            if i % until_running_every == 0:
                house.wait_running("s%d" % i)
            house.stop_stream("s%d" % i)
        source.stop()

    def test_start_stop_cycles_return_to_the_baseline(self):
        with House() as house:
            self.cycles(house, 6, 2)  # warms allocators, caches and connection pools
            before = self.baseline(house)
            self.cycles(house, CYCLES, 4)
            self.assertEqual(self.baseline(house), before)
            self.assertEqual(house.call("GET", "/streams")[1]["count"], 0)
            print("%d cycles: %s" % (CYCLES, before))


if __name__ == "__main__":
    main()
