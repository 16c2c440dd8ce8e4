#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# framelock-worker builds alone: configures and builds it with FRAMELOCK_WORKER_ONLY, runs it, and
# refuses any header that is neither the project's, nor nlohmann/json's, spdlog's or fmt's, nor the
# compiler's and the C library's. Usage: worker_alone.sh REPOSITORY SCRATCH
set -eu
cmake -S "$1" -B "$2" -G Ninja -DFRAMELOCK_WORKER_ONLY=ON >/dev/null
cmake --build "$2"
prompt='{"1": {"class_type": "LoadTensor", "inputs": {}},
         "2": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}}}'
echo "$prompt" | "$2/bin/framelock-worker" validate --prompt -
foreign=$(ninja -C "$2" -t deps | sed -n 's/^    //p' | sort -u | grep '^/usr/' |
  grep -vE '^/usr/include/(nlohmann|spdlog|fmt|c\+\+|x86_64-linux-gnu|aarch64-linux-gnu|linux|asm|asm-generic)/|^/usr/include/[A-Za-z0-9_-]+\.h$|^/usr/lib/') || foreign=""
[ -z "$foreign" ] || { echo "headers that a bare machine lacks:"; echo "$foreign"; exit 1; }
packages=$(ninja -C "$2" -t deps | grep -oE '/usr/include/(glib|gst|boost|curl|gio|openssl|libwebsockets)[^ ]*' | head -n 3) || packages=""
[ -z "$packages" ] || { echo "media or network headers: $packages"; exit 1; }
