# SPDX-License-Identifier: Apache-2.0
"""Clients that were not written here: ffmpeg, curl and python3-websockets use the relay."""
import asyncio
import subprocess
import tempfile
import unittest
import urllib.request

import websockets

from harness import INVERT, House, main, wait_for

PACKET = 188


def encode(path, seconds, gop=30):
    """A real H.264 MPEG-TS file of 30 fps, made by ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    "testsrc=size=320x240:rate=30:duration=%d" % seconds, "-c:v", "libx264",
                    "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(gop), "-bf", "0",
                    "-f", "mpegts", path], check=True)


def count_frames(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
                          "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path],
                         check=True, capture_output=True, text=True).stdout
    return int(out.strip().split()[0].rstrip(","))


class Clients(unittest.TestCase):
    def test_ffmpeg_publishes_a_segment_and_curl_reads_it(self):
        with House() as house, tempfile.NamedTemporaryFile(suffix=".ts") as read:
            url = house.channel("ff")
            subprocess.run(["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i",
                            "testsrc=size=320x240:rate=30:duration=2", "-c:v", "libx264",
                            "-preset", "ultrafast", "-f", "mpegts", "-method", "POST",
                            url + "/0"], check=True, timeout=30)
            subprocess.run(["curl", "-sSf", "-o", read.name, url + "/0"], check=True, timeout=10)
            self.assertEqual(count_frames(read.name), 60)

    def test_curl_publishes_and_ffmpeg_reads(self):
        with House() as house, tempfile.NamedTemporaryFile(suffix=".ts") as sent:
            encode(sent.name, 2)
            url = house.channel("cu")
            subprocess.run(["curl", "-sSf", "-X", "POST", "-T", sent.name, "-H",
                            "Content-Type: video/mp2t", "-H", "Transfer-Encoding: chunked",
                            url + "/0"], check=True, timeout=10)
            self.assertEqual(count_frames(url + "/0"), 60)

    def test_curl_and_ffmpeg_drive_a_whole_stream(self):
        with House() as house, tempfile.NamedTemporaryFile(suffix=".ts") as sent, \
                tempfile.NamedTemporaryFile(suffix=".ts") as got:
            encode(sent.name, 8, gop=240)
            house.start("s", INVERT)
            publisher = subprocess.Popen(
                ["sh", "-c", "ffmpeg -v error -re -i %s -c copy -f mpegts - | curl -sS -X POST "
                 "-T - -H 'Content-Type: video/mp2t' %s/0" % (sent.name, house.channel("s-in"))])
            try:
                house.wait_running("s")
                subprocess.run(["curl", "-sS", "-m", "12", "-o", got.name,
                                house.channel("s-out") + "/-2"], timeout=20)
                self.assertGreater(count_frames(got.name), 30)
            finally:
                publisher.terminate()
                publisher.wait()

    def test_websockets_package_publishes_and_reads(self):
        with House() as house, tempfile.NamedTemporaryFile(suffix=".ts") as sent:
            encode(sent.name, 3)
            with open(sent.name, "rb") as file:
                stream = file.read()
            base = house.relay_url.replace("http://", "ws://") + "/ws/door"

            async def publish():
                async with websockets.connect(base + "?publish=1") as socket:
                    for at in range(0, len(stream), 7 * PACKET):
                        await socket.send(stream[at:at + 7 * PACKET])
                        await asyncio.sleep(0.001)
                    await asyncio.sleep(0.3)

            async def read():
                got = b""
                async with websockets.connect(base, max_size=None) as socket:
                    try:
                        async for message in socket:
                            self.assertIsInstance(message, bytes)
                            got += message
                    except websockets.ConnectionClosedError:
                        pass
                return got

            async def both():
                urllib.request.urlopen(urllib.request.Request(house.channel("door"), method="POST"))
                reader = asyncio.create_task(read())
                await asyncio.sleep(0.3)
                await publish()
                return await asyncio.wait_for(reader, 15)

            with tempfile.NamedTemporaryFile(suffix=".ts") as got:
                got.write(asyncio.run(both()))
                got.flush()
                self.assertEqual(count_frames(got.name), 90)

    def test_a_stream_with_websocket_urls_on_both_sides(self):
        with House() as house:
            base = house.relay_url.replace("http://", "ws://") + "/ws/"
            source = house.run("framelock-demo-source", "--publish", base + "w-in?publish=1",
                               "--fps", 30)
            house.start("w", INVERT, source=base + "w-in", sink=base + "w-out?publish=1")
            house.wait_running("w")
            report = house.check("w-out", "--seconds", 3, "--expect", "inverted").finish(20)
            self.assertEqual(report["mismatched"], 0)
            self.assertGreater(report["frames"], 60)
            self.assertIsNone(source.process.poll())

    def test_a_browser_of_the_relay_sees_its_channels(self):
        with House() as house:
            house.source("seen", "--fps", 30)
            wait_for("the channel", lambda: b'"seen"' in urllib.request.urlopen(
                house.relay_url + "/_status", timeout=5).read(), 10)


if __name__ == "__main__":
    main()
