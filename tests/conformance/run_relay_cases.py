#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starts relays as a black-box case script wants them and runs the script against them.

usage: run_relay_cases.py RELAY SCRIPT [ARGUMENT of the script ...]
The script is not part of this repository; its cases are also in
tests/integration/trickle/relay_conformance_{t,r}_test.cc."""
import subprocess
import sys

CHANNELS = [f"pre{i}" for i in range(8)]
CREATE = ",".join(f"{name}=text/plain" for name in CHANNELS)
NAMES = ",".join(CHANNELS)

relays = []


def start(*options):
    relay = subprocess.Popen(
        [sys.argv[1], "--listen", "127.0.0.1:0", "--log-level", "warn", *options],
        stdout=subprocess.PIPE, text=True)
    relays.append(relay)
    return relay.stdout.readline().split()[-1]


def main():
    auto = start("--base", "/base/", "--max-segment-bytes", "64M") + "/base"
    strict = start("--no-autocreate", "--create", CREATE)
    deny = start("--deny-create", "deny-create", "--deny-delete", "deny-delete")
    sweep = start("--idle-timeout", "2s", "--sweep-interval", "500ms", "--create", CREATE)
    cases = subprocess.run(
        [sys.executable, sys.argv[2], "--auto", auto, "--strict", strict, "--strict-chans", NAMES,
         "--deny", deny, "--sweep", sweep, "--sweep-chans", NAMES, *sys.argv[3:]], check=False)
    for relay in relays:
        relay.terminate()
    ends = [relay.wait(timeout=10) for relay in relays]
    print("relays ended with", ends)
    sys.exit(cases.returncode or any(ends))


main()
