#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# framelock-worker builds alone: configures and builds it with FRAMELOCK_WORKER_ONLY, runs it, and
# refuses any header that is neither the project's nor of the packages of nlohmann/json, spdlog, fmt,
# the compiler and the C library. Usage: worker_alone.sh REPOSITORY SCRATCH
set -eu
cmake -S "$1" -B "$2" -G Ninja -DFRAMELOCK_WORKER_ONLY=ON >/dev/null
cmake --build "$2"
prompt='{"1": {"class_type": "LoadTensor", "inputs": {}},
         "2": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}}}'
echo "$prompt" | "$2/bin/framelock-worker" validate --prompt -
packages=$(ninja -C "$2" -t deps | sed -n 's/^    //p' | grep '^/' | grep -v "^$(realpath "$1")/" |
  sort -u | xargs realpath | xargs dpkg-query -S 2>&1 | sed 's/: .*//; s/:[a-z0-9]*$//' | sort -u)
foreign=$(echo "$packages" |
  grep -vxE 'nlohmann-json3-dev|libspdlog-dev|libfmt-dev|libc6-dev|linux-libc-dev|lib(stdc\+\+|gcc)-[0-9]+-dev') || foreign=""
[ -z "$foreign" ] || { echo "headers of packages that a bare machine lacks:"; echo "$foreign"; exit 1; }
echo "$packages" | grep -q nlohmann-json3-dev || { echo "no headers were recorded"; exit 1; }
